"""The five operations. A request becomes statements on a session; what comes of them becomes the answer.

This runs on the event loop and never blocks it: statements run on threads, so they may wait for one another without
holding up anything else on the port. A call that outlasts its time is answered, and its statement cancelled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from local.data_api import metadata, results, statements
from local.data_api.clusters import Clusters, on_thread
from local.data_api.errors import DataApiError, bad_request, database_error
from local.data_api.limits import Limits
from local.data_api.parameters import Parameter
from local.data_api.requests import Request
from local.data_api.servers import Cluster
from local.data_api.sessions import Answer, Session, Unavailable
from local.data_api.transactions import Autocommit, Lease, Transaction

_T = TypeVar("_T")


class ControlPlane(Protocol):
    """What the Data API asks of the rest of AWS, for the caller of the request at hand."""

    def cluster(self, arn: str) -> Cluster:
        """Raises DataApiError if it is none that has a Data API."""

    def credentials(self, secret_arn: str) -> tuple[str, str]:
        """User and password. Raises DataApiError if the caller may not read the secret, or they are not in it."""


class DataApi:
    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters
        self._operations: dict[str, Callable[[Request, ControlPlane], Awaitable[dict[str, Any]]]] = {
            "/Execute": self._execute,
            "/BatchExecute": self._batch_execute,
            "/BeginTransaction": self._begin,
            "/CommitTransaction": partial(self._end, "COMMIT", "Transaction Committed"),
            "/RollbackTransaction": partial(self._end, "ROLLBACK", "Rollback Complete"),
        }

    async def answer(self, path: str, body: bytes, plane: ControlPlane) -> dict[str, Any]:
        """Raises DataApiError."""
        try:
            return await self._operations[path](Request.read(body, self._clusters.limits), plane)
        except Unavailable as error:
            raise DataApiError("DatabaseUnavailableException", str(error), 504) from error

    async def _execute(self, request: Request, plane: ControlPlane) -> dict[str, Any]:
        sql, bound = _bind(request.sql(self._clusters.limits), request.parameters())
        go_on = request.flag("continueAfterTimeout")
        if go_on and request.optional_text("transactionId"):
            raise bad_request("continueAfterTimeout is not supported within a transaction.")
        answer = partial(_answer, request, self._clusters.limits)
        lease = await self._lease(request, plane)
        return await self._run(lease, lambda session: answer(session, session.execute(sql, bound)), go_on=go_on)

    async def _batch_execute(self, request: Request, plane: ControlPlane) -> dict[str, Any]:
        sql, sets = request.sql(self._clusters.limits), request.parameter_sets() or [{}]
        bound_sets = [_bind(sql, parameters) for parameters in sets]
        in_transaction = bool(request.optional_text("transactionId"))

        def execute_all(session: Session) -> dict[str, Any]:
            if not in_transaction:
                session.execute("BEGIN")
            for positional, bound in bound_sets:
                session.execute(positional, bound)
            if not in_transaction:
                session.execute("COMMIT")
            return {"updateResults": [{"generatedFields": []} for _ in sets]}

        return await self._run(await self._lease(request, plane), execute_all)

    async def _begin(self, request: Request, plane: ControlPlane) -> dict[str, Any]:
        cluster, lease = await self._autocommit(request, plane)

        def begin() -> Session:
            session = lease.pool.take(lease.login)
            session.execute("BEGIN")
            return session

        transaction = Transaction(cluster.arn, lease.login, await on_thread(begin))
        return {"transactionId": self._clusters.transactions.add(transaction)}

    async def _end(self, command: str, status: str, request: Request, plane: ControlPlane) -> dict[str, Any]:
        transaction_id = request.text("transactionId")
        transaction = self._transaction(transaction_id, request, plane)

        def end(session: Session) -> bool:
            failed = session.in_failed_transaction
            session.execute(command)
            return failed

        failed = await self._run(transaction, end)
        self._clusters.transactions.forget(transaction_id)
        await on_thread(transaction.session.close)
        if failed and command == "COMMIT":
            # PostgreSQL has rolled it back, and would call that a success.
            raise database_error("current transaction is aborted, nothing was committed", "25P02")
        return {"transactionStatus": status}

    async def _lease(self, request: Request, plane: ControlPlane) -> Lease:
        if transaction_id := request.optional_text("transactionId"):
            return self._transaction(transaction_id, request, plane)
        return (await self._autocommit(request, plane))[1]

    async def _autocommit(self, request: Request, plane: ControlPlane) -> tuple[Cluster, Autocommit]:
        cluster = plane.cluster(request.text("resourceArn"))
        user, password = plane.credentials(request.text("secretArn"))
        server = await self._clusters.server(cluster)
        return cluster, Autocommit(server.pool, server.login(request.optional_text("database"), user, password))

    def _transaction(self, transaction_id: str, request: Request, plane: ControlPlane) -> Transaction:
        cluster = plane.cluster(request.text("resourceArn"))
        plane.credentials(request.text("secretArn"))
        transaction = self._clusters.transactions.reserve(transaction_id, cluster.arn)
        if request.optional_text("database") not in ("", transaction.login.database):
            transaction.busy = False
            raise bad_request("Database name is not the same as transaction database name")
        return transaction

    async def _run(self, lease: Lease, work: Callable[[Session], _T], *, go_on: bool = False) -> _T:
        """`work` on a session, for as long as a call may take."""
        running = asyncio.ensure_future(on_thread(partial(lease.use, work)))
        await asyncio.wait({running}, timeout=self._clusters.limits.statement_seconds)
        if running.done():
            return running.result()
        running.add_done_callback(lambda late: late.cancelled() or late.exception())  # nobody else will look at it
        if not go_on:
            await on_thread(lease.cancel)
        raise DataApiError("StatementTimeoutException", "Request timed out")


def _bind(sql: str, parameters: Mapping[str, Parameter]) -> tuple[str, list[Parameter]]:
    """The statement as PostgreSQL takes it. A name without a parameter is for PostgreSQL to refuse."""
    positional, names = statements.positional(sql)
    return positional, [parameters[name] for name in names if name in parameters]


def _answer(request: Request, limits: Limits, session: Session, answer: Answer) -> dict[str, Any]:
    if not answer.columns:
        return {"generatedFields": [], "numberOfRecordsUpdated": answer.updated}
    results.check(answer.columns, answer.rows, limits)
    if request.as_json() and answer.command == "SELECT":
        text = results.formatted(answer.columns, answer.rows, request.result_options(), limits)
        return {"formattedRecords": text, "numberOfRecordsUpdated": 0}
    body = {
        "generatedFields": [],
        "numberOfRecordsUpdated": 0,
        "records": results.records(answer.columns, answer.rows, request.result_options()),
    }
    if request.flag("includeResultMetadata"):
        body["columnMetadata"] = metadata.describe(session, answer.columns)
    return body

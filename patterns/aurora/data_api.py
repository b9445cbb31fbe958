"""Statements through the RDS Data API, one a call, each in a transaction of its own.

A database that resumes from its pause, a failover, an overload, a connection that drops, an answer that is lost: each
is retried for as long as the invocation has time. So a statement may take effect more than once, and must allow it.

The service holds a statement for 45 s, and a client that gives up does not end it. So an attempt waits longer than
that: a caller who tried again sooner would have two statements in the database, which both wait for the same lock.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from math import floor
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from lambdas.eventstore import aws
from lambdas.eventstore.retry import OutOfTime, Retries, seconds_left

_CONNECT_SECONDS, _READ_SECONDS = 1, 50
"""A statement has 45 s (docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.timeouts.html, read 2026-11)."""

_PASSING = {
    "DatabaseResumingException",  # it was paused, and takes 15 s or more; no SDK retries this
    "DatabaseUnavailableException",  # a failover
    "InvalidResourceStateException",  # the cluster is being changed
    "StatementTimeoutException",  # the service has ended the statement: it waited for a lock, or the database is busy
    "ThrottlingException",  # and what other services call it
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
}

_PASSING_STATE = re.compile(r"SQLState: (08...|25006|28P01|40001|40P01|53200|53300|57P0[1-3])")
"""Connection lost, read-only after a failover, a password that rotates, serialization failure, deadlock, out of memory
or of connections, and a server that shuts down or starts (PostgreSQL, appendix A)."""

_SECRET_TIMED_OUT = re.compile(r"tim(ed|e)[ -]?out", re.IGNORECASE)
"""What tells this SecretsErrorException from those that last: no such secret, no way to decrypt it."""

Row = list[Any]


def from_environment(environ: Mapping[str, str]) -> "Database":
    """The database that the Lambda's environment describes: CLUSTER_ARN, SECRET_ARN, DATABASE."""
    client = cache(partial(_client, aws.client))
    client(_READ_SECONDS)  # while the Lambda initialises
    return Database(client, environ["CLUSTER_ARN"], environ["SECRET_ARN"], environ["DATABASE"])


class Database:
    """A database of an Aurora cluster, and the secret to open it with.

    `client` gives a client of the Data API that waits for an answer for so many seconds and makes one attempt.
    """

    def __init__(self, client: Callable[[float], Any], cluster_arn: str, secret_arn: str, name: str) -> None:
        self._client = client
        self._target = {"resourceArn": cluster_arn, "secretArn": secret_arn, "database": name}

    def execute(self, sql: str, /, **parameters: str | int | None) -> list[Row]:
        """The rows that the statement answers with. Parameters arrive as text and bigint: cast what is neither.

        Raises:
            OutOfTime: the database was out of reach for all of the invocation. Whether the statement took effect
                is unknown.
        """
        named = [{"name": name, "value": _field(value)} for name, value in parameters.items()]
        answer = self._call(_passes, sql=sql, parameters=named)
        return [[_value(field) for field in record] for record in answer.get("records", [])]

    def begin(self, sql: str) -> bool:
        """Executes a statement that may take longer than a call. False if it goes on in the database after the call.

        Raises:
            OutOfTime: as `execute`.
        """
        try:
            self._call(lambda error: not _timed_out(error) and _passes(error), sql=sql, continueAfterTimeout=True)
        except ClientError as error:
            if not _timed_out(error):
                raise
            return False
        return True

    def _call(self, passes: Callable[[ClientError], bool], **statement: Any) -> dict[str, Any]:
        trouble: Exception | None = None
        retries = Retries()
        while True:
            client = self._client(_read_seconds(trouble))
            try:
                answer: dict[str, Any] = client.execute_statement(**self._target, **statement)
                return answer
            except (HTTPClientError, NoConnection) as error:
                trouble = error
            except ClientError as error:
                if not passes(error):
                    raise
                trouble = error
            retries.pause(_unreachable(trouble))


def sql_state(error: ClientError) -> str:
    """The SQLState in what the database said; empty if the error is not the database's."""
    found = re.search(r"SQLState: (\w{5})", str(error))
    return found[1] if found else ""


def _client(make: Callable[[str, Config], Any], read_seconds: float) -> Any:
    return make("rds-data", _config(read_seconds))


@cache
def _config(read_seconds: float) -> Config:
    return Config(
        retries={"mode": "standard", "total_max_attempts": 1},  # `Database` makes the others
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_seconds,
        parameter_validation=False,
    )


def _read_seconds(trouble: Exception | None) -> float:
    """How long an attempt that begins now waits for its answer: no longer than the invocation lives.

    In quarters of a second, so that few clients do.
    """
    seconds = floor(4 * min(_READ_SECONDS, seconds_left() - _CONNECT_SECONDS)) / 4
    if seconds <= 0:
        raise OutOfTime(f"no time is left for an attempt: {_unreachable(trouble)}")
    return seconds


def _unreachable(trouble: Exception | None) -> str:
    return f"the database was out of reach: {trouble}" if trouble else "the invocation ends"


def _passes(error: ClientError) -> bool:
    code, status = aws.error_code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return (
        code in _PASSING
        or status >= 500
        or bool(_PASSING_STATE.search(str(error)))
        or (code == "SecretsErrorException" and bool(_SECRET_TIMED_OUT.search(str(error))))
    )


def _timed_out(error: ClientError) -> bool:
    return aws.error_code(error) == "StatementTimeoutException"


def _field(value: str | int | None) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    return {"stringValue": value} if isinstance(value, str) else {"longValue": value}


def _value(field: dict[str, Any]) -> Any:
    [(kind, value)] = field.items()
    return None if kind == "isNull" else value

"""A session on a PostgreSQL server, straight on libpq: what is sent and what comes back is what is on its wire.

Calls block, and let other threads run meanwhile. `cancel` may be called from another thread.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from psycopg import pq
from psycopg.conninfo import make_conninfo

from local.data_api.errors import DataApiError, database_error, invalid
from local.data_api.parameters import Parameter
from local.data_api.results import Column, Row

_SYNTAX_ERROR = "42601"
_KEPT = 8
"""Idle sessions of one login. A new one takes some 10 ms, most of it scram-sha-256."""


@dataclass(frozen=True)
class Login:
    """Who opens which database, and where."""

    socket_directory: str
    database: str
    user: str
    password: str


@dataclass(frozen=True)
class Answer:
    """What a statement gave. `command` is PostgreSQL's word for it; `updated` counts rows written, not returned."""

    command: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    updated: int


class Unavailable(Exception):
    """The server cannot be reached."""


class Session:
    """One connection. Outside a transaction, each statement is its own."""

    def __init__(self, login: Login) -> None:
        """Raises DataApiError if the server refuses the login, Unavailable if it cannot be reached."""
        target = make_conninfo(
            host=login.socket_directory,
            dbname=login.database,
            user=login.user,
            password=login.password,
            application_name="data-api",
        )
        self._connection = pq.PGconn.connect(target.encode())
        if self._connection.status != pq.ConnStatus.OK:
            raise _refusal(self._connection.get_error_message())

    @property
    def usable(self) -> bool:
        """Whether another caller may use it: connected, and in no transaction."""
        return bool(self._connection.transaction_status == pq.TransactionStatus.IDLE)

    @property
    def in_failed_transaction(self) -> bool:
        return bool(self._connection.transaction_status == pq.TransactionStatus.INERROR)

    def execute(self, sql: str, parameters: Sequence[Parameter] = ()) -> Answer:
        """Raises DataApiError with what the server said, Unavailable if the connection was lost."""
        result = self._connection.exec_params(
            sql.encode(),
            [parameter.value for parameter in parameters],
            [parameter.type for parameter in parameters],
            [pq.Format.BINARY if parameter.binary else pq.Format.TEXT for parameter in parameters],
        )
        command = (result.command_status or b"").decode().partition(" ")[0]
        match result.status:
            case pq.ExecStatus.TUPLES_OK:
                return Answer(command, _columns(result), _rows(result), 0)
            case pq.ExecStatus.COMMAND_OK | pq.ExecStatus.EMPTY_QUERY:
                return Answer(command, [], [], result.command_tuples or 0)
            case pq.ExecStatus.COPY_IN | pq.ExecStatus.COPY_OUT:
                self.close()
                raise database_error("COPY from or to the client is not supported", "0A000")
        if self._connection.status != pq.ConnStatus.OK:
            raise Unavailable(result.get_error_message())
        raise _error(result)

    def cancel(self) -> None:
        """Ends the statement that runs, if one does."""
        self._connection.get_cancel().cancel()

    def close(self) -> None:
        self._connection.finish()


class Pool:
    """Idle sessions, for the next call of the same login."""

    def __init__(self) -> None:
        self._idle: dict[Login, list[Session]] = defaultdict(list)

    def take(self, login: Login) -> Session:
        with suppress(IndexError):
            while True:
                session = self._idle[login].pop()
                if session.usable:
                    return session
                session.close()
        return Session(login)

    def give_back(self, login: Login, session: Session) -> None:
        """As good as new: what a statement set on its session does not outlive the call, as on AWS."""
        if session.usable and len(self._idle[login]) < _KEPT:
            with suppress(DataApiError, Unavailable):
                session.execute("DISCARD ALL")
                self._idle[login].append(session)
                return
        session.close()

    def close(self) -> None:
        """Closes them all; further calls get new ones."""
        idle, self._idle = self._idle, defaultdict(list)
        for session in chain.from_iterable(idle.values()):
            session.close()


def _columns(result: pq.abc.PGresult) -> list[Column]:
    return [
        Column(
            name=(result.fname(index) or b"").decode(),
            type=result.ftype(index),
            modifier=result.fmod(index),
            table=result.ftable(index),
            attribute=result.ftablecol(index),
        )
        for index in range(result.nfields)
    ]


def _rows(result: pq.abc.PGresult) -> list[Row]:
    width = range(result.nfields)
    return [[result.get_value(row, column) for column in width] for row in range(result.ntuples)]


def _error(result: pq.abc.PGresult) -> DataApiError:
    def said(field: pq.DiagnosticField) -> str:
        return (result.error_field(field) or b"").decode()

    message, state = said(pq.DiagnosticField.MESSAGE_PRIMARY), said(pq.DiagnosticField.SQLSTATE)
    if state == _SYNTAX_ERROR and "multiple commands" in message:
        return invalid("Multistatements aren't supported.")
    return database_error(message, state, said(pq.DiagnosticField.STATEMENT_POSITION))


_REFUSALS = {"password authentication failed": "28P01", "database .* does not exist": "3D000", "": "28000"}
"""libpq does not tell the SQLSTATE of a login that was refused."""


def _refusal(said: str) -> Exception:
    refused = re.search(r"FATAL:\s+(.*)", said)
    if not refused or "the database system is" in said:
        return Unavailable(said)
    state = next(state for words, state in _REFUSALS.items() if re.search(words, said))
    return database_error(refused[1], state)

"""What a call's statements run in: a transaction of their own, or one that lives between calls.

`use` and `cancel` block, and are called on threads; everything else here is called on the event loop.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from local.data_api.errors import no_transaction, still_running
from local.data_api.limits import Limits
from local.data_api.sessions import Login, Pool, Session

_T = TypeVar("_T")


class Lease(Protocol):
    """A session for one call."""

    def use(self, work: Callable[[Session], _T]) -> _T: ...

    def cancel(self) -> None:
        """Ends the statement that `use` waits for, if there is one."""


class Autocommit:
    """A session that is free: outside a transaction, every statement is one."""

    def __init__(self, pool: Pool, login: Login) -> None:
        self.pool = pool
        self.login = login
        self._session: Session | None = None

    def use(self, work: Callable[[Session], _T]) -> _T:
        self._session = session = self.pool.take(self.login)
        try:
            return work(session)
        finally:
            self._session = None
            self.pool.give_back(self.login, session)

    def cancel(self) -> None:
        if session := self._session:
            session.cancel()


@dataclass
class Transaction:
    """An open transaction, which has a session to itself; `busy` while a call uses it."""

    cluster_arn: str
    login: Login
    session: Session
    busy: bool = False
    began: float = field(default_factory=time.monotonic)
    used: float = field(default_factory=time.monotonic)

    def use(self, work: Callable[[Session], _T]) -> _T:
        try:
            return work(self.session)
        finally:
            self.used = time.monotonic()
            self.busy = False

    def cancel(self) -> None:
        self.session.cancel()


class Transactions:
    """The open transactions, by their ids."""

    def __init__(self) -> None:
        self._open: dict[str, Transaction] = {}

    def add(self, transaction: Transaction) -> str:
        transaction_id = secrets.token_urlsafe(120)
        self._open[transaction_id] = transaction
        return transaction_id

    def reserve(self, transaction_id: str, cluster_arn: str) -> Transaction:
        """For one call: others are refused until it is over. Raises DataApiError."""
        transaction = self._open.get(transaction_id)
        if transaction is None or transaction.cluster_arn != cluster_arn:
            raise no_transaction(transaction_id)
        if transaction.busy:
            raise still_running()
        transaction.busy = True
        return transaction

    def forget(self, transaction_id: str) -> None:
        self._open.pop(transaction_id, None)

    def count(self, cluster_arn: str) -> int:
        return sum(transaction.cluster_arn == cluster_arn for transaction in self._open.values())

    def expire(self, limits: Limits) -> None:
        """Rolls back what was idle, or open, for too long."""
        now = time.monotonic()
        for transaction_id, transaction in list(self._open.items()):
            too_old = now - transaction.began > limits.transaction_seconds
            if not transaction.busy and (too_old or now - transaction.used > limits.idle_seconds):
                self.forget(transaction_id)
                transaction.session.close()

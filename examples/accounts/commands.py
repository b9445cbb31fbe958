"""The write side: a command reads its aggregates, decides, and stores what follows, all of it or nothing.

Another writer may come first; then the store answers VersionConflict, and the command reads and decides again. A
transfer touches two accounts in one request, so money is never in two places or in none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import uuid4

from examples.accounts.account import Account
from lambdas.eventstore import Append, EventStore, NewEvent, StoredEvent, VersionConflict

_PAGE = 1000


class Accounts:
    """Commands on accounts. `attempts` bounds how often a command decides anew when other writers keep coming first."""

    def __init__(self, store: EventStore, attempts: int = 5) -> None:
        self._store = store
        self._attempts = attempts

    def open(self, account_id: str, name: str) -> Sequence[StoredEvent]:
        return self._execute(lambda: [self.load(account_id).create(name)])

    def deposit(self, account_id: str, amount: int) -> Sequence[StoredEvent]:
        return self._execute(lambda: [self.load(account_id).deposit(amount)])

    def withdraw(self, account_id: str, amount: int) -> Sequence[StoredEvent]:
        return self._execute(lambda: [self.load(account_id).withdraw(amount)])

    def transfer(self, source_id: str, target_id: str, amount: int) -> Sequence[StoredEvent]:
        """Move money between two different accounts, atomically."""
        return self._execute(lambda: [self.load(source_id).withdraw(amount), self.load(target_id).deposit(amount)])

    def load(self, account_id: str) -> Account:
        """The account as its events have it, read strongly consistently."""
        account = Account(account_id)
        version: int | None = 1
        while version:
            page = self._store.get_aggregate_events(account_id, version, _PAGE)
            account = account.apply_all(page.events)
            version = page.next_version
        return account

    def _execute(self, decide: Callable[[], list[NewEvent]]) -> Sequence[StoredEvent]:
        for attempt in range(1, self._attempts + 1):
            events = tuple(decide())
            try:
                return self._store.store_events(Append(events, request_id=str(uuid4())))
            except VersionConflict:
                if attempt == self._attempts:
                    raise
        raise ValueError("a command needs at least one attempt")

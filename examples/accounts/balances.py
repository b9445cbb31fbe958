"""The read side: every account's balance, kept up to date by reading all events from a checkpoint on.

A projection must allow for what its store's guarantee sheet admits. This one drops events that it has applied (by
version), and refuses a gap: a late event would otherwise be lost in it silently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from examples.accounts.account import Account
from lambdas.eventstore import EventStore, StoredEvent

_PAGE = 1000


class MissedEvent(Exception):
    """An event of an account came after a version that was never seen: rebuild the read model from the start."""


class Balances:
    """Balances by account id, as of `checkpoint` (an offset; None for the start)."""

    def __init__(self, checkpoint: str | None = None) -> None:
        self.checkpoint = checkpoint
        self._accounts: dict[str, Account] = {}

    def __getitem__(self, account_id: str) -> int:
        return self._accounts[account_id].balance

    def as_dict(self) -> Mapping[str, int]:
        return {account_id: account.balance for account_id, account in self._accounts.items()}

    def catch_up(self, store: EventStore) -> int:
        """Apply everything that is new; answers with how many events that was."""
        applied = 0
        more = True
        while more:
            page = store.get_all_events(self.checkpoint, _PAGE)
            applied += self.apply(page.events)
            self.checkpoint, more = page.next, page.has_more
        return applied

    def apply(self, events: Iterable[StoredEvent]) -> int:
        applied = 0
        for event in events:
            account = self._accounts.get(event.aggregate_id, Account(event.aggregate_id))
            if event.aggregate_version <= account.version:
                continue
            if event.aggregate_version > account.version + 1:
                raise MissedEvent(f"{event.aggregate_id}: version {event.aggregate_version} after {account.version}")
            self._accounts[event.aggregate_id] = account.apply(event)
            applied += 1
        return applied

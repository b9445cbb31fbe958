"""The write side: a command reads its aggregates, decides, and stores what follows, all of it or nothing, and once.

The caller gives each command an id, and repeats it under the same id when the answer was lost. Every event carries the
id of its command, so a command that was stored is recognised by the events that it reads, however much later. Another
writer may come first; then the store answers VersionConflict, and the command reads and decides again. A transfer
touches two accounts in one request, so money is never in two places or in none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from examples.accounts.account import Account
from lambdas.eventstore import Append, EventStore, NewEvent, StoredEvent, VersionConflict

_PAGE = 1000
_COMMAND = "commandId"

Decide = Callable[..., list[NewEvent]]


class Accounts:
    """Commands on accounts. `attempts` bounds how often a command decides anew when other writers keep coming first."""

    def __init__(self, store: EventStore, attempts: int = 5) -> None:
        self._store = store
        self._attempts = attempts

    def open(self, command_id: str, account_id: str, name: str) -> Sequence[StoredEvent]:
        return self._execute(command_id, [account_id], lambda account: [account.create(name)])

    def deposit(self, command_id: str, account_id: str, amount: int) -> Sequence[StoredEvent]:
        return self._execute(command_id, [account_id], lambda account: [account.deposit(amount)])

    def withdraw(self, command_id: str, account_id: str, amount: int) -> Sequence[StoredEvent]:
        return self._execute(command_id, [account_id], lambda account: [account.withdraw(amount)])

    def transfer(self, command_id: str, source_id: str, target_id: str, amount: int) -> Sequence[StoredEvent]:
        """Move money between two different accounts, atomically."""
        accounts = [source_id, target_id]
        return self._execute(
            command_id, accounts, lambda source, target: [source.withdraw(amount), target.deposit(amount)]
        )

    def load(self, account_id: str) -> Account:
        """The account as its events have it, read strongly consistently."""
        return Account(account_id).apply_all(self._events(account_id))

    def _execute(self, command_id: str, account_ids: Sequence[str], decide: Decide) -> Sequence[StoredEvent]:
        for attempt in range(1, self._attempts + 1):
            histories = {account_id: list(self._events(account_id)) for account_id in account_ids}
            if stored := [event for events in histories.values() for event in events if _is_of(command_id, event)]:
                return stored
            decided = decide(*(Account(account_id).apply_all(events) for account_id, events in histories.items()))
            events = [replace(event, metadata={**event.metadata, _COMMAND: command_id}) for event in decided]
            try:
                return self._store.store_events(Append(tuple(events), request_id=command_id))
            except VersionConflict:
                if attempt == self._attempts:
                    raise
        raise ValueError("a command needs at least one attempt")

    def _events(self, account_id: str) -> Iterator[StoredEvent]:
        version: int | None = 1
        while version:
            page = self._store.get_aggregate_events(account_id, version, _PAGE)
            yield from page.events
            version = page.next_version


def _is_of(command_id: str, event: StoredEvent) -> bool:
    return event.metadata.get(_COMMAND) == command_id

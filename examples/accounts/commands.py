"""The write side: a command loads its accounts, decides, and stores what follows: all of it or nothing, and once.

The caller gives each command an id, and repeats it under the same id when the answer was lost. Every event carries the
id of its command, so a command that was stored is recognised by the events that are loaded, however much later. Another
writer may come first; then the store answers `VersionConflict`, and the command loads and decides again. A transfer
stores two accounts' events in one request, so money is never in two places or in none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from examples.accounts import requests
from examples.accounts.account import Account, Rejected, transfer
from examples.accounts.snapshots import Snapshot, Snapshots
from lambdas.eventstore import Append, EventStore, NewEvent, Refusal, StoredEvent, VersionConflict
from lambdas.eventstore.retry import OutOfTime, Retries

ATTEMPTS = 10
"""How often a command decides anew while other writers keep coming first."""

_PAGE = 1000
_COMMAND_ID = "commandId"


class Commands:
    """Commands on a store; `snapshots` make long histories cheaper to load, and change nothing else."""

    def __init__(self, store: EventStore, attempts: int = ATTEMPTS, snapshots: Snapshots | None = None) -> None:
        self._store = store
        self._attempts = attempts
        self._snapshots = snapshots

    def answer(self, request: Any) -> dict[str, Any]:
        """`{"events": […]}`, or `{"error": {"code", "message", …}}` for what is refused."""
        try:
            return {"events": [event.to_wire() for event in self.execute(requests.command(request))]}
        except Rejected as rejected:
            return {"error": {"code": "Rejected", "reason": rejected.reason, "message": str(rejected)}}
        except Refusal as refusal:
            return {"error": refusal.to_wire()}

    def execute(self, command: Mapping[str, Any]) -> Sequence[StoredEvent]:
        """The events of the command as stored, now or when it was first executed.

        Raises:
            Rejected: a rule of the domain does not allow it.
            VersionConflict: other writers came first, each time.
        """
        retries = Retries()
        account_ids = [command["accountId"], *([command["toAccountId"]] if "toAccountId" in command else [])]
        while True:
            loaded = [self.load(account_id, command["commandId"]) for account_id in account_ids]
            if stored := [event for _, events in loaded for event in events if _is_of(command, event)]:
                return stored
            accounts = [account for account, _ in loaded]
            try:
                return self._store.store_events(_append(command, decide(command, accounts)))
            except VersionConflict as conflict:
                if retries.attempts == self._attempts:
                    raise
                try:
                    retries.pause("other writers keep coming first")
                except OutOfTime:
                    raise conflict from None

    def load(self, account_id: str, command_id: str) -> tuple[Account, list[StoredEvent]]:
        """The account, read strongly consistently, and the events among which those of the command would be."""
        snapshot = self._snapshots.get(account_id) if self._snapshots else None
        if snapshot and not snapshot.may_have(command_id):
            # From its own event on, which tells whether it is of this history.
            events = self._events(account_id, snapshot.account.version)
            if events and events[0].event_id == snapshot.event_id:
                return self._loaded(snapshot, snapshot.account, events[1:])
        return self._loaded(None, Account(account_id), self._events(account_id, 1))

    def _loaded(
        self, snapshot: Snapshot | None, account: Account, later: list[StoredEvent]
    ) -> tuple[Account, list[StoredEvent]]:
        account = account.apply_all(later)
        if self._snapshots and len(later) >= self._snapshots.every:
            self._snapshots.put(Snapshot.of(snapshot, account, later))
        return account, later

    def _events(self, account_id: str, version: int | None) -> list[StoredEvent]:
        events: list[StoredEvent] = []
        while version:
            page = self._store.get_aggregate_events(account_id, version, _PAGE)
            events += page.events
            version = page.next_version
        return events


def decide(command: Mapping[str, Any], accounts: Sequence[Account]) -> list[NewEvent]:
    """What follows from the command, given its accounts; pure.

    Raises:
        Rejected
    """
    account, *others = accounts
    match command["command"]:
        case "CreateAccount":
            return [account.create(command["name"], command["currency"])]
        case "DepositMoney":
            return [account.deposit(command["amount"])]
        case "WithdrawMoney":
            return [account.withdraw(command["amount"])]
        case "TransferMoney":
            return transfer(account, others[0], command["amount"])
        case "CloseAccount":
            return [account.close()]
    raise ValueError(f"there is no command {command['command']}")


def _append(command: Mapping[str, Any], decided: Sequence[NewEvent]) -> Append:
    marked = [replace(event, metadata={**event.metadata, _COMMAND_ID: command["commandId"]}) for event in decided]
    return Append(tuple(marked), request_id=command["commandId"])


def _is_of(command: Mapping[str, Any], event: StoredEvent) -> bool:
    return bool(event.metadata.get(_COMMAND_ID) == command["commandId"])

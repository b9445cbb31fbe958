"""The read models: balances, statements and daily totals, each with a table and a checkpoint of its own.

Anybody may store events of these types. Those of aggregates that never were created as an account are not accounts'.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from examples.accounts.account import CREATED, DEPOSITED, VERSIONS, WITHDRAWN, upcast
from lambdas.eventstore import StoredEvent, ksuids
from lambdas.projections import Item, Key, Projection

ACCOUNTS = "accounts"
DAYS = "days"


def account_key(account_id: str) -> Key:
    return Key(ACCOUNTS, account_id)


def entry_key(account_id: str, version: int) -> Key:
    return Key(statement_of(account_id), f"{version:016}")


def statement_of(account_id: str) -> str:
    return f"statement/{account_id}"


def _movement(event: StoredEvent) -> int:
    """By how much the event changes the balance."""
    amount = upcast(event)["amount"] if event.event_type in (DEPOSITED, WITHDRAWN) else 0
    return int(-amount if event.event_type == WITHDRAWN else amount)


class _OfAccounts(Projection):
    event_types = frozenset(VERSIONS)

    def touches(self, event: StoredEvent) -> Collection[Key]:
        return [account_key(event.aggregate_id)]

    def account(self, event: StoredEvent, items: Mapping[Key, Item]) -> Item | None:
        """The account's item as of the event; None if this is no account."""
        item = items.get(account_key(event.aggregate_id))
        if event.event_type == CREATED and not item:
            metadata = upcast(event)
            item = {"name": metadata["name"], "currency": metadata["currency"], "balance": 0}
        if not item:
            return None
        return {**item, "balance": item["balance"] + _movement(event), "version": event.aggregate_version}


class Balances(_OfAccounts):
    """An item an account: what it is called, its currency, balance, and the version that they are of."""

    name = "balances"

    def apply(self, event: StoredEvent, items: Mapping[Key, Item]) -> Mapping[Key, Item | None]:
        account = self.account(event, items)
        return {account_key(event.aggregate_id): account} if account else {}


class Statements(_OfAccounts):
    """An item for each event of an account, with the balance after it; and one an account, to know that balance."""

    name = "statements"

    def apply(self, event: StoredEvent, items: Mapping[Key, Item]) -> Mapping[Key, Item | None]:
        account = self.account(event, items)
        if not account:
            return {}
        entry = {
            "version": event.aggregate_version,
            "type": event.event_type,
            "amount": abs(_movement(event)),
            "balance": account["balance"],
            "eventId": event.event_id,
        }
        return {account_key(event.aggregate_id): account, entry_key(event.aggregate_id, event.aggregate_version): entry}


class DailyTotals(_OfAccounts):
    """An item for each day (UTC, by the writers' clocks): by currency, what came in, what went out, in how many events.

    Beside it one an account, to know its currency.
    """

    name = "daily-totals"

    def touches(self, event: StoredEvent) -> Collection[Key]:
        return [account_key(event.aggregate_id), day_key(event)]

    def apply(self, event: StoredEvent, items: Mapping[Key, Item]) -> Mapping[Key, Item | None]:
        account = self.account(event, items)
        if not account:
            return {}
        day, amount = items.get(day_key(event), {}), _movement(event)
        total = day.get(account["currency"], {"deposited": 0, "withdrawn": 0, "events": 0})
        total = {
            "deposited": total["deposited"] + max(amount, 0),
            "withdrawn": total["withdrawn"] + max(-amount, 0),
            "events": total["events"] + 1,
        }
        return {
            account_key(event.aggregate_id): account,
            day_key(event): {**day, account["currency"]: total},
        }


def day_key(event: StoredEvent) -> Key:
    return Key(DAYS, datetime.fromtimestamp(ksuids.seconds_of(event.event_id), tz=UTC).date().isoformat())


PROJECTIONS: Mapping[str, type[Projection]] = {it.name: it for it in (Balances, Statements, DailyTotals)}

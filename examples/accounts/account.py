"""The account aggregate: its state is what its events say, and each decision is a pure function of that state.

Amounts are whole minor units of the account's currency (cents), because binary fractions do not add up. Events of older
versions are brought up to date when they are read (`upcast`); nothing that is stored is ever changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from lambdas.eventstore.events import NewEvent

CREATED = "ACCOUNT_CREATED"
DEPOSITED = "MONEY_DEPOSITED"
WITHDRAWN = "MONEY_WITHDRAWN"
CLOSED = "ACCOUNT_CLOSED"

VERSIONS = {CREATED: 2, DEPOSITED: 1, WITHDRAWN: 1, CLOSED: 1}
"""The version of each event type that is written today."""

FIRST_CURRENCY = "EUR"
"""Of all accounts from before accounts had a currency."""

Reason = Literal["Overdraft", "UnknownAccount", "AccountExists", "AccountClosed", "CurrencyMismatch", "NotEmpty"]


class Rejected(Exception):
    """A command that breaks a rule of the domain. Nothing was stored."""

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason = reason
        super().__init__(message)


def upcast(event: NewEvent) -> dict[str, Any]:
    """The event's metadata as the newest version of its type has it."""
    if (event.event_type, event.event_version) == (CREATED, 1):
        return {"name": "", **event.metadata, "currency": FIRST_CURRENCY}
    return event.metadata


@dataclass(frozen=True)
class Account:
    """An account as of `version`, the version of the last event that was applied; 0 for one that does not exist."""

    account_id: str
    version: int = 0
    name: str = ""
    currency: str = ""
    balance: int = 0
    closed: bool = False

    def apply_all(self, events: Iterable[NewEvent]) -> Account:
        account = self
        for event in events:
            account = account.apply(event)
        return account

    def apply(self, event: NewEvent) -> Account:
        """The state after `event`. Types that this version of the domain does not know leave it unchanged."""
        account = replace(self, version=event.aggregate_version)
        metadata = upcast(event)
        match event.event_type:
            case "ACCOUNT_CREATED":
                return replace(account, name=metadata["name"], currency=metadata["currency"])
            case "MONEY_DEPOSITED":
                return replace(account, balance=self.balance + metadata["amount"])
            case "MONEY_WITHDRAWN":
                return replace(account, balance=self.balance - metadata["amount"])
            case "ACCOUNT_CLOSED":
                return replace(account, closed=True)
        return account

    def create(self, name: str, currency: str) -> NewEvent:
        if self.version:
            raise Rejected("AccountExists", f"account {self.account_id} exists already")
        return self._next(CREATED, {"name": name, "currency": currency})

    def deposit(self, amount: int) -> NewEvent:
        self._check_open()
        return self._next(DEPOSITED, {"amount": amount})

    def withdraw(self, amount: int) -> NewEvent:
        self._check_open()
        if amount > self.balance:
            raise Rejected(
                "Overdraft", f"account {self.account_id} holds {self.balance}, which does not cover {amount}"
            )
        return self._next(WITHDRAWN, {"amount": amount})

    def close(self) -> NewEvent:
        self._check_open()
        if self.balance:
            raise Rejected("NotEmpty", f"account {self.account_id} holds {self.balance}: withdraw it first")
        return self._next(CLOSED, {})

    def _check_open(self) -> None:
        if not self.version:
            raise Rejected("UnknownAccount", f"account {self.account_id} does not exist")
        if self.closed:
            raise Rejected("AccountClosed", f"account {self.account_id} is closed")

    def _next(self, event_type: str, metadata: dict[str, Any]) -> NewEvent:
        return NewEvent(self.account_id, self.version + 1, event_type, VERSIONS[event_type], metadata)


def transfer(source: Account, target: Account, amount: int) -> list[NewEvent]:
    """Money leaves one account and enters the other, in events that are stored together."""
    source._check_open()
    target._check_open()
    if source.currency != target.currency:
        raise Rejected(
            "CurrencyMismatch",
            f"account {source.account_id} is in {source.currency}, and {target.account_id} in {target.currency}",
        )
    return [source.withdraw(amount), target.deposit(amount)]

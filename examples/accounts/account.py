"""The account aggregate: its state is what its events say, and each decision is a pure function of that state.

Amounts are whole minor units (cents), because binary fractions do not add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from lambdas.eventstore.events import NewEvent

CREATED = "ACCOUNT_CREATED"
DEPOSITED = "MONEY_DEPOSITED"
WITHDRAWN = "MONEY_WITHDRAWN"


class Rejected(Exception):
    """A command that breaks a rule of the domain. Nothing was stored."""


@dataclass(frozen=True)
class Account:
    """An account as of `version`, the version of the last event that was applied; 0 for one that does not exist."""

    account_id: str
    version: int = 0
    name: str | None = None
    balance: int = 0

    def apply_all(self, events: Iterable[NewEvent]) -> Account:
        account = self
        for event in events:
            account = account.apply(event)
        return account

    def apply(self, event: NewEvent) -> Account:
        """The state after `event`. Types that this version of the domain does not know leave it unchanged."""
        account = replace(self, version=event.aggregate_version)
        match event.event_type:
            case "ACCOUNT_CREATED":
                return replace(account, name=event.metadata["name"])
            case "MONEY_DEPOSITED":
                return replace(account, balance=self.balance + event.metadata["amount"])
            case "MONEY_WITHDRAWN":
                return replace(account, balance=self.balance - event.metadata["amount"])
        return account

    def create(self, name: str) -> NewEvent:
        if self.version:
            raise Rejected(f"account {self.account_id} exists already")
        return self._next(CREATED, {"name": name})

    def deposit(self, amount: int) -> NewEvent:
        self._check_movement(amount)
        return self._next(DEPOSITED, {"amount": amount})

    def withdraw(self, amount: int) -> NewEvent:
        self._check_movement(amount)
        if amount > self.balance:
            raise Rejected(f"account {self.account_id} holds {self.balance}, which does not cover {amount}")
        return self._next(WITHDRAWN, {"amount": amount})

    def _check_movement(self, amount: int) -> None:
        if not self.version:
            raise Rejected(f"account {self.account_id} does not exist")
        if amount <= 0:
            raise Rejected(f"an amount is a positive number of cents, not {amount}")

    def _next(self, event_type: str, metadata: dict[str, Any]) -> NewEvent:
        return NewEvent(self.account_id, self.version + 1, event_type, 1, metadata)

"""The read side: what the read models answer. `atLeast` waits until the projection has the version that a caller wrote.

Queries read no events, but for `lag`, which looks at the first one that a projection has not applied.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from examples.accounts import requests
from examples.accounts.projections import (
    ACCOUNTS,
    Balances,
    Statements,
    account_key,
    entry_key,
    statement_of,
)
from lambdas.eventstore import EventStore, InvalidRequest, ksuids
from lambdas.projections import ReadModel

WAIT_SECONDS = 5.0
"""How long `atLeast` waits."""

_POLL_SECONDS = 0.1
_WAKE_SECONDS = 1.0

Answer = dict[str, Any]


class Queries:
    """`models` are the tables by the projections' names. `wake` asks the projections to run; it may do nothing."""

    def __init__(
        self, models: Mapping[str, ReadModel], store: EventStore, wake: Callable[[], object] = lambda: None
    ) -> None:
        self._models = models
        self._store = store
        self._wake = wake

    def answer(self, request: Any) -> Answer:
        """What the query asks for, or `{"error": {"code", …}}`."""
        try:
            query = requests.query(request)
        except InvalidRequest as refusal:
            return {"error": refusal.to_wire()}
        match query["query"]:
            case "balance":
                return self._balance(query["accountId"], query.get("atLeast", 0))
            case "statement":
                return self._statement(query["accountId"], query.get("after"), query["limit"])
            case "accounts":
                return self._accounts(query.get("after"), query["limit"])
        return self._lag()

    def _balance(self, account_id: str, at_least: int) -> Answer:
        woken = time.monotonic()  # by the command, most likely
        deadline = woken + WAIT_SECONDS
        while True:
            account = self._models[Balances.name].get(account_key(account_id))
            version = account["version"] if account else 0
            if version >= at_least:
                break
            now = time.monotonic()
            if now > deadline:
                return {"error": {"code": "NotYet", "version": version}}
            if now > woken + _WAKE_SECONDS:
                self._wake()
                woken = now
            time.sleep(_POLL_SECONDS)
        if not account:
            return _unknown(account_id)
        return {
            "accountId": account_id,
            "balance": account["balance"],
            "currency": account["currency"],
            "version": version,
        }

    def _statement(self, account_id: str, after: int | None, limit: int) -> Answer:
        model = self._models[Statements.name]
        start = None if after is None else entry_key(account_id, after).sort
        entries, following = model.page(statement_of(account_id), start, limit)
        if not entries and not model.get(account_key(account_id)):
            return _unknown(account_id)
        return {"entries": [entry for _, entry in entries], "next": int(following) if following else None}

    def _accounts(self, after: str | None, limit: int) -> Answer:
        found, following = self._models[Balances.name].page(ACCOUNTS, after, limit)
        accounts = [
            {"accountId": account_id, "name": it["name"], "balance": it["balance"], "currency": it["currency"]}
            for account_id, it in found
        ]
        return {"accounts": accounts, "next": following}

    def _lag(self) -> Answer:
        return {"projections": [{"name": name, "seconds": self._seconds(it)} for name, it in self._models.items()]}

    def _seconds(self, model: ReadModel) -> float:
        """How old the first event is that is not applied; 0 if there is none."""
        checkpoint = model.checkpoint(model.generations().live)
        ahead = self._store.get_all_events(checkpoint.reached if checkpoint else None, 1).events
        return max(0.0, round(time.time() - ksuids.seconds_of(ahead[0].event_id), 3)) if ahead else 0


def _unknown(account_id: str) -> Answer:
    return {"error": {"code": "NotFound", "message": f"there is no account {account_id}"}}

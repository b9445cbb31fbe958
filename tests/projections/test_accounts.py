"""The accounts sample's read models equal a fold over the events, and its queries say what they should."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from examples.accounts import queries
from examples.accounts.account import Account
from examples.accounts.projections import DAYS, PROJECTIONS, DailyTotals
from examples.accounts.queries import Queries
from lambdas.eventstore import Append, EventStore, NewEvent, StoredEvent, ksuids
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.projections import Key, ReadModel, Runner
from testkit.aws_calls import Watch
from testkit.projections import all_events, read_model
from tests.unit.test_accounts import Bank


class System:
    """The whole sample in this process."""

    def __init__(self, store: EventStore, models: dict[str, ReadModel]) -> None:
        self.store, self.models = store, models
        self.bank = Bank(store)
        self.queries = Queries(models, store)

    def project(self) -> None:
        for name, model in self.models.items():
            assert Runner(self.store, model, PROJECTIONS[name]()).run().caught_up

    def query(self, query: str, **fields: Any) -> dict[str, Any]:
        return self.queries.answer({"query": query, **fields})


@pytest.fixture
def system(watch: Watch) -> Iterator[System]:
    with read_model() as balances, read_model() as statements, read_model() as totals:
        models = dict(zip(PROJECTIONS, (balances, statements, totals), strict=True))
        yield System(MemoryEventStore(), models)


def test_the_read_models_equal_a_fold_over_the_events(system: System) -> None:
    names, draw = [f"account {n}" for n in range(8)], random.Random(7)
    for _ in range(150):
        name, command = draw.choice(names), draw.choice(["CreateAccount", "DepositMoney", "TransferMoney", "Withdraw"])
        fields: dict[str, Any] = {"amount": draw.randint(1, 50)}
        if command == "CreateAccount":
            fields = {"name": name, "currency": draw.choice(["EUR", "JPY"])}
        elif command == "TransferMoney":
            fields["toAccountId"] = draw.choice(names)
        system.bank.answer(command.replace("Withdraw", "WithdrawMoney"), name, **fields)
        if draw.random() < 0.1:
            system.project()
    system.project()
    events = defaultdict(list)
    for event in all_events(system.store):
        events[event.aggregate_id].append(event)
    folds = {name: Account(name).apply_all(of_it) for name, of_it in events.items()}

    assert system.query("accounts")["accounts"] == [
        {"accountId": name, "name": it.name, "balance": it.balance, "currency": it.currency}
        for name, it in sorted(folds.items())
    ]
    for name, fold in folds.items():
        assert system.query("balance", accountId=name) == {
            "accountId": name,
            "balance": fold.balance,
            "currency": fold.currency,
            "version": fold.version,
        }
        assert statement(system, name) == entries(events[name])
    assert totals(system) == folded_totals(all_events(system.store), folds)


def statement(system: System, account_id: str) -> list[dict[str, Any]]:
    """Page by page."""
    found, after = [], None
    while True:
        page = system.query("statement", accountId=account_id, after=after, limit=4)
        found += page["entries"]
        after = page["next"]
        if after is None:
            return found


def entries(events: list[StoredEvent]) -> list[dict[str, Any]]:
    expected, account = [], Account(events[0].aggregate_id)
    for event in events:
        account = account.apply(event)
        expected.append(
            {
                "version": event.aggregate_version,
                "type": event.event_type,
                "amount": event.metadata.get("amount", 0),
                "balance": account.balance,
                "eventId": event.event_id,
            }
        )
    return expected


def totals(system: System) -> dict[str, dict[str, int]]:
    found, _ = system.models["daily-totals"].page(DAYS, None, 100)
    return {f"{day} {currency}": total for day, it in found for currency, total in it.items()}


def folded_totals(events: list[StoredEvent], accounts: dict[str, Account]) -> dict[str, dict[str, int]]:
    expected: dict[str, dict[str, int]] = {}
    for event in events:
        day = datetime.fromtimestamp(ksuids.seconds_of(event.event_id), tz=UTC).date().isoformat()
        total = expected.setdefault(
            f"{day} {accounts[event.aggregate_id].currency}", {"deposited": 0, "withdrawn": 0, "events": 0}
        )
        total["events"] += 1
        if event.event_type in ("MONEY_DEPOSITED", "MONEY_WITHDRAWN"):
            total["deposited" if event.event_type == "MONEY_DEPOSITED" else "withdrawn"] += event.metadata["amount"]
    return expected


def test_events_of_the_same_types_that_are_no_account_s_change_nothing(system: System) -> None:
    system.store.store_events(Append((NewEvent("stranger", 1, "MONEY_DEPOSITED", 1, {"n": 1}),)))
    system.bank.open("josh", 3)
    system.project()
    assert [it["accountId"] for it in system.query("accounts")["accounts"]] == ["josh"]
    assert system.query("balance", accountId="stranger")["error"]["code"] == "NotFound"


def test_an_account_from_before_there_were_currencies_has_its_balance(system: System) -> None:
    system.store.store_events(Append((NewEvent("josh", 1, "ACCOUNT_CREATED", 1, {"name": "Josh Armitage"}),)))
    system.bank.answer("DepositMoney", "josh", amount=3)
    system.project()
    assert system.query("accounts")["accounts"] == [
        {"accountId": "josh", "name": "Josh Armitage", "balance": 3, "currency": "EUR"}
    ]


@pytest.mark.parametrize("query", ["balance", "statement"])
def test_an_unknown_account_is_not_found(system: System, query: str) -> None:
    system.project()
    assert system.query(query, accountId="nobody")["error"]["code"] == "NotFound"


def test_pages_of_accounts_follow_one_another(system: System) -> None:
    for name in "abcde":
        system.bank.open(name)
    system.project()
    one = system.query("accounts", limit=2)
    two = system.query("accounts", limit=3, after=one["next"])
    assert [it["accountId"] for it in one["accounts"] + two["accounts"]] == list("abcde")
    assert (one["next"], two["next"]) == ("b", None)


def test_a_query_waits_until_the_projection_has_what_the_caller_wrote(system: System) -> None:
    system.bank.open("josh", 3)
    woken = threading.Event()
    system.queries = Queries(system.models, system.store, woken.set)

    def projector() -> None:
        woken.wait(10)
        system.project()

    running = threading.Thread(target=projector)
    running.start()
    assert system.query("balance", accountId="josh", atLeast=2)["balance"] == 3
    running.join()


def test_a_query_waits_no_longer_than_it_says(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system.bank.open("josh", 3)
    system.project()
    monkeypatch.setattr(queries, "WAIT_SECONDS", 0.3)
    began = time.monotonic()
    assert system.query("balance", accountId="josh", atLeast=3) == {"error": {"code": "NotYet", "version": 2}}
    assert time.monotonic() - began > 0.3
    assert system.query("balance", accountId="ann", atLeast=1) == {"error": {"code": "NotYet", "version": 0}}


def test_the_lag_is_the_age_of_the_first_event_that_is_not_applied(system: System) -> None:
    system.bank.open("josh", 3)
    first = ksuids.seconds_of(all_events(system.store)[0].event_id)
    Runner(system.store, system.models["balances"], PROJECTIONS["balances"](), late_seconds=10).run()
    lag = {it["name"]: it["seconds"] for it in system.query("lag")["projections"]}
    assert list(lag) == ["balances", "statements", "daily-totals"]
    assert lag["balances"] == 0
    assert 0 <= lag["statements"] <= time.time() - first


def test_a_total_is_exact_beyond_what_json_numbers_of_others_hold(system: System) -> None:
    key = Key(DAYS, "2026-11-25")
    large = {"EUR": {"deposited": 2**60 + 1, "withdrawn": 0, "events": 1}}
    model = system.models["daily-totals"]
    store = MemoryEventStore()

    class Planted(DailyTotals):
        def apply(self, event: StoredEvent, items: Any) -> Any:
            return {key: large}

    store.store_events(Append((NewEvent("a", 1, "ACCOUNT_CLOSED", 1, {}),)))
    Runner(store, model, Planted()).run()
    assert model.get(key) == large

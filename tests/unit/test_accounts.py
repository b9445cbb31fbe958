"""The accounts sample without AWS: its rules as given, when, then; its commands under retries; its requests' form."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.accounts import requests
from examples.accounts.account import CLOSED, CREATED, DEPOSITED, WITHDRAWN, Account, Rejected
from examples.accounts.commands import Commands, decide
from lambdas.eventstore import Append, EventStore, InvalidRequest, NewEvent, StoredEvent
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.eventstore.retry import time_limit
from testkit.examples import new_id
from tools.discovery import ROOT

Given = Sequence[tuple[str, str, dict[str, Any]]]

OPEN = ("josh", CREATED, {"name": "Josh", "currency": "EUR"})
ANN = ("ann", CREATED, {"name": "Ann", "currency": "EUR"})
YEN = ("yuki", CREATED, {"name": "Yuki", "currency": "JPY"})


def paid(account_id: str, amount: int) -> tuple[str, str, dict[str, Any]]:
    return account_id, DEPOSITED, {"amount": amount}


def closed(account_id: str) -> tuple[str, str, dict[str, Any]]:
    return account_id, CLOSED, {}


def accounts_of(given: Given, *account_ids: str) -> list[Account]:
    accounts = {account_id: Account(account_id) for account_id in account_ids}
    for account_id, event_type, metadata in given:
        account = accounts.setdefault(account_id, Account(account_id))
        version = 2 if event_type == CREATED else 1
        event = NewEvent(account_id, account.version + 1, event_type, version, metadata)
        accounts[account_id] = account.apply(event)
    return [accounts[account_id] for account_id in account_ids]


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ([], {"command": "CreateAccount", "name": "Josh", "currency": "EUR"}, [OPEN]),
        ([OPEN], {"command": "DepositMoney", "amount": 5}, [paid("josh", 5)]),
        ([OPEN, paid("josh", 9)], {"command": "WithdrawMoney", "amount": 9}, [("josh", WITHDRAWN, {"amount": 9})]),
        (
            [OPEN, paid("josh", 9), ANN],
            {"command": "TransferMoney", "toAccountId": "ann", "amount": 4},
            [("josh", WITHDRAWN, {"amount": 4}), paid("ann", 4)],
        ),
        ([OPEN], {"command": "CloseAccount"}, [closed("josh")]),
    ],
    ids=lambda it: it["command"] if isinstance(it, dict) else "",
)
def test_a_command_that_is_allowed(given: Given, when: dict[str, Any], then: Given) -> None:
    events = decide(when, accounts_of(given, "josh", *[when["toAccountId"]] if "toAccountId" in when else []))
    assert [(event.aggregate_id, event.event_type, event.metadata) for event in events] == then


TRANSFER = {"command": "TransferMoney", "toAccountId": "ann", "amount": 4}


@pytest.mark.parametrize(
    ("given", "when", "reason"),
    [
        ([OPEN], {"command": "CreateAccount", "name": "J", "currency": "EUR"}, "AccountExists"),
        ([OPEN, closed("josh")], {"command": "CreateAccount", "name": "J", "currency": "EUR"}, "AccountExists"),
        ([], {"command": "DepositMoney", "amount": 1}, "UnknownAccount"),
        ([], {"command": "WithdrawMoney", "amount": 1}, "UnknownAccount"),
        ([], {"command": "CloseAccount"}, "UnknownAccount"),
        ([ANN], TRANSFER, "UnknownAccount"),
        ([OPEN, paid("josh", 9)], TRANSFER, "UnknownAccount"),
        ([OPEN, closed("josh")], {"command": "DepositMoney", "amount": 1}, "AccountClosed"),
        ([OPEN, closed("josh")], {"command": "WithdrawMoney", "amount": 1}, "AccountClosed"),
        ([OPEN, closed("josh")], {"command": "CloseAccount"}, "AccountClosed"),
        ([OPEN, paid("josh", 9), ANN, closed("ann")], TRANSFER, "AccountClosed"),
        ([OPEN, paid("josh", 3)], {"command": "WithdrawMoney", "amount": 4}, "Overdraft"),
        ([OPEN, paid("josh", 3), ANN], TRANSFER, "Overdraft"),
        (
            [OPEN, paid("josh", 9), YEN],
            {"command": "TransferMoney", "toAccountId": "yuki", "amount": 1},
            "CurrencyMismatch",
        ),
        ([OPEN, paid("josh", 1)], {"command": "CloseAccount"}, "NotEmpty"),
    ],
)
def test_a_command_that_is_rejected(given: Given, when: dict[str, Any], reason: str) -> None:
    accounts = accounts_of(given, "josh", *[when["toAccountId"]] if "toAccountId" in when else [])
    with pytest.raises(Rejected) as rejected:
        decide(when, accounts)
    assert rejected.value.reason == reason


def test_an_account_from_before_there_were_currencies_is_in_euros() -> None:
    account = Account("josh").apply(NewEvent("josh", 1, CREATED, 1, {"name": "Josh Armitage"}))
    assert account == Account("josh", 1, "Josh Armitage", "EUR")


def test_an_event_of_an_unknown_type_counts_and_changes_nothing_else() -> None:
    account = Account("josh", 1, "Josh", "EUR", 5).apply(NewEvent("josh", 2, "STATEMENT_SENT", 1, {}))
    assert account == Account("josh", 2, "Josh", "EUR", 5)


class Bank:
    """Commands on a store, as short as a test can write them."""

    def __init__(self, store: EventStore, attempts: int = 5) -> None:
        self.store = store
        self.commands = Commands(store, attempts)

    def answer(self, command: str, account_id: str, command_id: str = "", **fields: Any) -> dict[str, Any]:
        request = {"commandId": command_id or new_id(), "command": command, "accountId": account_id, **fields}
        return self.commands.answer(json.loads(json.dumps(request)))

    def open(self, account_id: str, amount: int = 0, currency: str = "EUR") -> None:
        assert "events" in self.answer("CreateAccount", account_id, name=account_id, currency=currency)
        if amount:
            assert "events" in self.answer("DepositMoney", account_id, amount=amount)

    def balance(self, account_id: str) -> int:
        return self.commands.load(account_id, new_id())[0].balance

    def count(self) -> int:
        return len(self.store.get_all_events(None, 1000).events)


def test_a_command_answers_with_its_events_as_stored() -> None:
    bank = Bank(MemoryEventStore())
    bank.open("josh", 10)
    bank.open("ann")
    answer = bank.answer("TransferMoney", "josh", "mine", toAccountId="ann", amount=4)
    assert [(it["aggregateId"], it["aggregateVersion"], it["metadata"]) for it in answer["events"]] == [
        ("josh", 3, {"amount": 4, "commandId": "mine"}),
        ("ann", 2, {"amount": 4, "commandId": "mine"}),
    ]
    assert answer["events"] == [event.to_wire() for event in bank.store.get_all_events("3", 10).events]
    assert (bank.balance("josh"), bank.balance("ann")) == (6, 4)


def test_a_refusal_is_an_answer() -> None:
    bank = Bank(MemoryEventStore())
    bank.open("josh", 3)
    assert bank.answer("WithdrawMoney", "josh", amount=4) == {
        "error": {
            "code": "Rejected",
            "reason": "Overdraft",
            "message": "account josh holds 3, which does not cover 4",
        }
    }
    assert bank.answer("WithdrawMoney", "josh", amount=0)["error"]["path"] == "/amount"
    assert bank.count() == 2


class LosingAnswers(MemoryEventStore):
    """Stores what it is asked to, and loses the answer."""

    loses = False

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        events = super().store_events(append)
        if self.loses:
            raise ConnectionError
        return events


@pytest.mark.parametrize(
    ("command", "fields", "versions"),
    [
        ("DepositMoney", {"amount": 5}, [3]),
        ("TransferMoney", {"toAccountId": "ann", "amount": 3}, [3, 2]),
        ("WithdrawMoney", {"amount": 9}, [3]),
    ],
)
def test_a_command_whose_answer_was_lost_is_applied_once_however_much_later_it_is_repeated(
    command: str, fields: dict[str, Any], versions: list[int]
) -> None:
    store = LosingAnswers()
    bank = Bank(store)
    bank.open("josh", 9)
    bank.open("ann")
    store.loses = True
    with pytest.raises(ConnectionError):
        bank.answer(command, "josh", "mine", **fields)
    store.loses = False
    assert "events" in bank.answer("DepositMoney", "josh", amount=1)
    before = (bank.count(), bank.balance("josh"))

    repeated = bank.answer(command, "josh", "mine", **fields)

    assert [event["aggregateVersion"] for event in repeated["events"]] == versions
    assert {event["metadata"]["commandId"] for event in repeated["events"]} == {"mine"}
    assert (bank.count(), bank.balance("josh")) == before


class OvertakingStore(MemoryEventStore):
    """Another writer deposits 1 into "josh" just before each of the next `times` requests is stored."""

    times = 0

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        if self.times and append.expected.get("josh"):
            self.times -= 1
            version = self.get_aggregate_events("josh", 1, 1000).events[-1].aggregate_version
            super().store_events(Append((NewEvent("josh", version + 1, DEPOSITED, 1, {"amount": 1}),)))
        return super().store_events(append)


def test_a_command_that_was_overtaken_decides_again() -> None:
    store = OvertakingStore()
    bank = Bank(store)
    bank.open("josh", 100)
    store.times = 2
    assert "events" in bank.answer("DepositMoney", "josh", amount=100)
    assert bank.balance("josh") == 202


@pytest.mark.parametrize("seconds", [60.0, 0.1], ids=["by attempts", "by time"])
def test_a_command_that_is_always_overtaken_gives_up_and_says_why(seconds: float) -> None:
    store = OvertakingStore()
    bank = Bank(store, attempts=3)
    bank.open("josh", 100)
    store.times = 99
    with time_limit(seconds):
        assert bank.answer("DepositMoney", "josh", amount=100)["error"]["code"] == "VersionConflict"


@settings(deadline=None, max_examples=30)
@given(transfers=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(1, 150)), max_size=12))
def test_transfers_move_money_and_make_none(transfers: list[tuple[str, str, int]]) -> None:
    bank = Bank(MemoryEventStore())
    for name in "abc":
        bank.open(name, 100)
    for source, target, amount in transfers:
        covered = bank.balance(source) >= amount
        answer = bank.answer("TransferMoney", source, toAccountId=target, amount=amount)
        assert ("events" in answer) is (source != target and covered)
    assert sum(map(bank.balance, "abc")) == 300


DEPOSIT = {"commandId": "c", "command": "DepositMoney", "accountId": "a", "amount": 1}
CREATE = {"commandId": "c", "command": "CreateAccount", "accountId": "a", "name": "A", "currency": "EUR"}


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (None, ""),
        ([], ""),
        ({}, "/command"),
        ({**DEPOSIT, "command": "Steal"}, "/command"),
        ({**DEPOSIT, "command": ["DepositMoney"]}, "/command"),
        ({name: value for name, value in DEPOSIT.items() if name != "amount"}, "/amount"),
        ({name: value for name, value in DEPOSIT.items() if name != "commandId"}, "/commandId"),
        ({**DEPOSIT, "to/day": 1}, "/to~1day"),
        *(({**DEPOSIT, "amount": it}, "/amount") for it in (0, -1, 10**12 + 1, 1.5, "1", True, None, float("inf"))),
        *(({**DEPOSIT, "accountId": it}, "/accountId") for it in ("", "a" * 129, "a\n", 1)),
        *(({**CREATE, "currency": it}, "/currency") for it in ("eur", "EURO", "", 978)),
        ({**CREATE, "name": ""}, "/name"),
        ({**DEPOSIT, "command": "TransferMoney", "toAccountId": "a"}, "/toAccountId"),
    ],
)
def test_a_malformed_command_is_refused_with_its_path(request_: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        requests.command(request_)
    assert refused.value.path == path


@pytest.mark.parametrize("amount", [1, 10**12, 5.0])
def test_amounts_are_whole_minor_units(amount: float) -> None:
    checked = requests.command({**DEPOSIT, "amount": amount})
    assert checked["amount"] == amount
    assert isinstance(checked["amount"], int)


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({"query": "all"}, "/query"),
        ({"query": "balance"}, "/accountId"),
        ({"query": "balance", "accountId": "a", "atLeast": -1}, "/atLeast"),
        ({"query": "balance", "accountId": "a", "limit": 1}, "/limit"),
        ({"query": "statement", "accountId": "a", "after": "x"}, "/after"),
        ({"query": "statement", "accountId": "a", "limit": 1001}, "/limit"),
        ({"query": "accounts", "after": 1}, "/after"),
        ({"query": "lag", "accountId": "a"}, "/accountId"),
    ],
)
def test_a_malformed_query_is_refused_with_its_path(request_: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        requests.query(request_)
    assert refused.value.path == path


def test_the_first_page_may_be_asked_for_by_name() -> None:
    assert requests.query({"query": "accounts", "after": None}) == {"query": "accounts", "after": None, "limit": 100}


def test_the_sequence_diagram_names_functions_that_there_are() -> None:
    readme = (ROOT / "examples/accounts/README.md").read_text(encoding="utf-8")
    [diagram] = re.findall(r"```mermaid\n(.*?)```", readme, re.DOTALL)
    named = set(re.findall(r"\b([A-Za-z_]+)\.([a-z_]+)\b", diagram))
    code = "\n".join(
        f"# module {file.stem}\n{file.read_text(encoding='utf-8')}"
        for folder in ("examples/accounts", "lambdas/projections")
        for file in (ROOT / folder).glob("*.py")
    )
    assert len(named) >= 10
    for owner, function in named:
        assert re.search(rf"^(class |# module ){owner}\b", code, re.MULTILINE), owner
        assert re.search(rf"\bdef {function}\(", code), function

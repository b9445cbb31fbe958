"""Snapshots change what loading an account costs, and never what a command answers, whatever is wrong with them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from examples.accounts import snapshots
from examples.accounts.commands import Commands
from examples.accounts.snapshots import Snapshot, SnapshotTable
from lambdas.eventstore import AggregatePage, aws
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.projections import ReadModel
from testkit import faults
from testkit.aws_calls import Watch
from testkit.examples import new_id

EVERY = 10


class Counting(MemoryEventStore):
    """Counts the events of aggregates that are read."""

    read = 0

    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        page = super().get_aggregate_events(aggregate_id, from_version, limit)
        self.read += len(page.events)
        return page


class Bank:
    def __init__(self, model: ReadModel) -> None:
        self.store, self.table = Counting(), model.name
        self.snapshots = SnapshotTable(aws.client("dynamodb"), model.name, EVERY)

    def answer(self, command: str, account_id: str, command_id: str = "", **fields: Any) -> dict[str, Any]:
        request = {"commandId": command_id or new_id(), "command": command, "accountId": account_id, **fields}
        return Commands(self.store, snapshots=self.snapshots).answer(request)

    def open(self, events: int) -> None:
        self.answer("CreateAccount", "josh", name="Josh", currency="EUR")
        for number in range(events - 1):
            assert "events" in self.answer("DepositMoney", "josh", f"deposit {number}", amount=1)


@pytest.fixture
def bank(model: ReadModel) -> Bank:
    return Bank(model)


def test_a_command_loads_what_came_since_the_snapshot(bank: Bank) -> None:
    bank.open(95)
    bank.store.read = 0
    answer = bank.answer("WithdrawMoney", "josh", amount=94)
    assert answer["events"][0]["aggregateVersion"] == 96
    assert bank.store.read <= EVERY + 1
    assert bank.answer("WithdrawMoney", "josh", amount=1)["error"]["reason"] == "Overdraft"


def test_a_command_from_before_the_snapshot_is_recognised(bank: Bank) -> None:
    bank.open(50)
    repeated = bank.answer("DepositMoney", "josh", "deposit 3", amount=1)
    assert repeated["events"][0]["aggregateVersion"] == 5
    assert len(bank.store.get_aggregate_events("josh", 1, 1000).events) == 50


def forged(item: dict[str, Any]) -> dict[str, Any]:
    content = item["content"]["S"].replace('"balance": ', '"balance": 9')
    return {**item, "content": {"S": content}}


def resigned(item: dict[str, Any], content: str) -> dict[str, Any]:
    checksum = snapshots._checksum(content, item["commands"]["B"])
    return {**item, "content": {"S": content}, "checksum": {"S": checksum}}


DAMAGES: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    "gone": lambda item: None,
    "another balance": forged,
    "no commands": lambda item: {**item, "commands": {"B": b""}},
    "half of it": lambda item: {name: value for name, value in item.items() if name != "checksum"},
    "no JSON": lambda item: resigned(item, "{"),
    "another format": lambda item: resigned(item, item["content"]["S"].replace('"format": 1', '"format": 0')),
    "another history": lambda item: resigned(item, item["content"]["S"].replace('"eventId": "', '"eventId": "0')),
    "of the future": lambda item: resigned(item, item["content"]["S"].replace('"version": ', '"version": 9')),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_is_wrong_with_a_snapshot_the_answers_are_right(bank: Bank, damage: str) -> None:
    bank.open(50)
    dynamodb = boto3.client("dynamodb")
    key = snapshots._key("josh")
    item = dynamodb.get_item(TableName=bank.table, Key=key)["Item"]
    damaged = DAMAGES[damage](item)
    if damaged:
        dynamodb.put_item(TableName=bank.table, Item=damaged)
    else:
        dynamodb.delete_item(TableName=bank.table, Key=key)

    repeated = bank.answer("DepositMoney", "josh", "deposit 3", amount=1)
    refused = bank.answer("WithdrawMoney", "josh", amount=50)
    taken = bank.answer("WithdrawMoney", "josh", amount=49)

    assert repeated["events"][0]["aggregateVersion"] == 5
    assert refused["error"]["reason"] == "Overdraft"
    assert taken["events"][0]["aggregateVersion"] == 51


def test_without_their_table_commands_go_on(bank: Bank, watch: Watch) -> None:
    bank.open(15)
    with watch.recording(faults.Refused(0, "ThrottlingException", for_ever=True)) as calls:
        assert "events" in bank.answer("WithdrawMoney", "josh", amount=1)
    assert calls


def test_answers_are_those_of_commands_without_snapshots(bank: Bank) -> None:
    draw, plain = random.Random(4), Commands(MemoryEventStore())
    sent: list[dict[str, Any]] = []
    for number in range(150):
        kind = draw.choice(["CreateAccount", "DepositMoney", "WithdrawMoney", "TransferMoney", "CloseAccount"])
        account_id, other = draw.sample(["a", "b", "c"], 2)
        request: dict[str, Any] = {"commandId": f"{number}", "command": kind, "accountId": account_id}
        if kind == "CreateAccount":
            request |= {"name": account_id, "currency": "EUR"}
        elif kind != "CloseAccount":
            request["amount"] = draw.randint(1, 9)
        if kind == "TransferMoney":
            request["toAccountId"] = other
        sent.append(request)
        for repeated in [request, draw.choice(sent)]:
            answers = [Commands(bank.store, snapshots=bank.snapshots).answer(repeated), plain.answer(repeated)]
            for answer in answers:
                for event in answer.get("events", []):
                    del event["eventId"]
                    event.pop("offset", None)
            assert answers[0] == answers[1]


def test_an_account_with_more_commands_than_an_item_holds_has_none(bank: Bank) -> None:
    bank.open(2)
    account, _ = Commands(bank.store).load("josh", "")
    bank.snapshots.put(Snapshot(account, "x", b"8" * 8 * (snapshots.MAX_COMMANDS + 1)))
    assert bank.snapshots.get("josh") is None

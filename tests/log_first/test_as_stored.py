"""What a pattern keeps beside each event is in its page and in its item, the same, whichever append puts them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from lambdas.eventstore.contract import Append
from lambdas.eventstore.dynamodb.paged_log import contents
from lambdas.eventstore.events import NewEvent
from lambdas.eventstore.log_first import store as module
from lambdas.eventstore.log_first.log import INLINE_BYTES, Entry
from lambdas.eventstore.log_first.store import LogFirstEventStore
from testkit.faults import Crash
from testkit.simulation import Instant, SimulatedDynamoDB, virtual_retries

TABLES = {"events": ("aggregateId", "aggregateVersion"), "log": ("part", "firstPosition")}


class DyingAfterTheCommit:
    """A client of a process that never gets to put an event."""

    def __init__(self, client: SimulatedDynamoDB) -> None:
        self.query, self._client = client.query, client

    def put_item(self, **put: Any) -> None:
        if put["TableName"] == "events":
            raise Crash
        self._client.put_item(**put)


@pytest.fixture
def dynamodb() -> Iterator[SimulatedDynamoDB]:
    with virtual_retries(Instant(), 1, module):
        yield SimulatedDynamoDB(Instant(), TABLES, seed=1)


@pytest.mark.parametrize("text", ["", random.Random(1).randbytes(INLINE_BYTES).hex()], ids=["small", "large"])
def test_what_is_added_is_in_the_page_and_in_the_item_and_in_no_answer(dynamodb: SimulatedDynamoDB, text: str) -> None:
    salts = count(1)

    def salted(entry: Entry) -> Entry:
        return {**entry, "salt": f"{next(salts)} for {entry['eventId']}"}

    def opened(client: Any) -> LogFirstEventStore:
        return LogFirstEventStore(client, "events", "log", as_stored=salted)

    request = Append(tuple(NewEvent("a", version, "TICK", 1, {"text": text}) for version in (1, 2)), "request")
    with suppress(Crash):
        opened(DyingAfterTheCommit(dynamodb)).store_events(request)
    opened(dynamodb).store_events(Append((NewEvent("b", 1, "TICK", 1, {}),)))

    entries = [entry for page in items(dynamodb, "log", "part", "pages") for entry in contents(page)]
    stored = [*items(dynamodb, "events", "aggregateId", "a"), *items(dynamodb, "events", "aggregateId", "b")]
    assert [entry["salt"] for entry in entries] == [item["salt"]["S"] for item in stored]
    assert [entry["salt"].split()[-1] for entry in entries] == [item["eventId"]["S"] for item in stored]
    assert all("salt" not in event.to_wire() for event in opened(dynamodb).get_all_events(None, 10).events)
    assert opened(dynamodb).store_events(request)[0].event_id == stored[0]["eventId"]["S"]


def items(dynamodb: SimulatedDynamoDB, table: str, partition: str, value: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dynamodb.query(
        TableName=table,
        KeyConditionExpression=f"{partition} = :value",
        ExpressionAttributeValues={":value": {"S": value}},
        Limit=100,
    )["Items"]
    return found

"""A small world for one sequencer or several: an events table, a log table, and the truth about both.

Events are stored, and the log is looked at, through the tables themselves.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore import ksuids
from lambdas.eventstore.dynamodb.items import Key
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.retry import OutOfTime, time_limit
from lambdas.eventstore.sequencing import doorbells
from lambdas.eventstore.sequencing.doorbells import Doorbells
from lambdas.eventstore.sequencing.failures import Failures
from lambdas.eventstore.sequencing.log import Log
from lambdas.eventstore.sequencing.sequencer import Sequencer
from testkit.faults import Crash
from tests.sequencer.model import Around, Client, Model, undisturbed

SECONDS = 20.0
"""More than any sequencer here should take."""

FAILURES = (Crash, BotoCoreError, ClientError, OutOfTime)
"""What may leave a sequencer whose AWS calls are disturbed."""


class World:
    """`dynamodb` is what tables are made and looked at with, `open_client` gives a new sequencer what it works with."""

    def __init__(self, dynamodb: Any, open_client: Callable[[], Any]) -> None:
        self.dynamodb = dynamodb
        self._open_client = open_client
        self.events = self._table("events", {"aggregateId": "S", "aggregateVersion": "N"})
        self.log = self._table("log", {"part": "S", "firstPosition": "N"})
        self._ticks = count(1_700_000_000)

    def remove(self) -> None:
        for table in (self.events, self.log):
            self.dynamodb.delete_table(TableName=table)

    def store(self, *keys: Key, **attributes: Any) -> None:
        """An event for each key, stored one after the other. `attributes` take the place of an event's own."""
        for aggregate, version in keys:
            [event_id] = ksuids.issue(1, next(self._ticks))
            item = {
                "aggregateId": {"S": aggregate},
                "aggregateVersion": {"N": str(version)},
                "eventType": {"S": "MONEY_DEPOSITED"},
                "eventVersion": {"N": "1"},
                "metadata": {"M": {"amount": {"N": str(version)}}},
                "eventId": {"S": event_id},
            }
            self.dynamodb.put_item(TableName=self.events, Item={**item, **attributes})

    def open_log(self) -> Log:
        """As a new invocation would have it: nothing is remembered from before. Calls are made one by one."""
        return Log(self._open_client(), self.log)

    def open_events(self) -> EventsTable:
        return EventsTable(self._open_client(), self.events)

    def sequence(self, doorbells: Doorbells) -> Doorbells:
        """What a new invocation of the sequencer does; answers with what stays unmet."""
        with time_limit(SECONDS):
            outcome = Sequencer(self.open_events(), self.open_log()).sequence(doorbells)
        assert not outcome.postponed
        return outcome.unmet

    def stored(self) -> set[tuple[str, int, str]]:
        """Aggregate, version and id of every event."""
        return {
            (item["aggregateId"]["S"], int(item["aggregateVersion"]["N"]), item["eventId"]["S"])
            for item in self._items(self.events)
        }

    def logged(self) -> list[tuple[str, int, str]]:
        """The same of every event in the log, in order, after checking that its positions have no holes."""
        pages = [item for item in self._items(self.log) if item["part"]["S"] == "pages"]
        events: list[tuple[str, int, str]] = []
        for page in sorted(pages, key=lambda item: int(item["firstPosition"]["N"])):
            assert int(page["firstPosition"]["N"]) == len(events) + 1, "positions have a hole, or are taken twice"
            content = json.loads(zlib.decompress(page["page"]["B"]))
            assert int(page["events"]["N"]) == len(content) > 0
            events += [(event["aggregateId"], event["aggregateVersion"], event["eventId"]) for event in content]
        return events

    def marks(self) -> dict[str, int]:
        return {item["part"]["S"]: int(item["reached"]["N"]) for item in self._items(self.log) if "reached" in item}

    def in_the_middle_of_a_pass(self) -> bool:
        """Whether the sweep has kept a place to go on from."""
        return any("cursor" in item for item in self._items(self.log))

    def assert_sound(self) -> None:
        """The log has no event twice, none that is not stored, and those of an aggregate in version order from 1."""
        logged = self.logged()
        assert set(logged) <= self.stored()
        reached: dict[str, int] = {}
        for aggregate, version, _ in logged:
            assert version == reached.get(aggregate, 0) + 1, f"{aggregate} {version} is out of order or there twice"
            reached[aggregate] = version
        for part, mark in self.marks().items():
            if part == "checkpoint":
                assert mark <= len(logged)
            else:
                in_log = reached.get(part.removeprefix("aggregate#"), 0)
                assert mark <= in_log, f"{part} is marked as what is not in the log"

    def assert_complete(self) -> None:
        """Sound, and every event is in the log."""
        self.assert_sound()
        assert len(self.logged()) == len(self.stored())

    def doorbells(self) -> Doorbells:
        """For everything that is stored."""
        return doorbells.of((aggregate, version) for aggregate, version, _ in sorted(self.stored()))

    def _table(self, what: str, keys: dict[str, str]) -> str:
        name = f"{what}-{uuid4().hex}"
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
        )
        return name

    def _items(self, table: str) -> Sequence[dict[str, Any]]:
        page = self.dynamodb.scan(TableName=table, ConsistentRead=True)
        items: list[dict[str, Any]] = page["Items"]
        while "LastEvaluatedKey" in page:
            start = page["LastEvaluatedKey"]
            page = self.dynamodb.scan(TableName=table, ConsistentRead=True, ExclusiveStartKey=start)
            items += page["Items"]
        return items


class ModelWorld(World):
    """On a model of DynamoDB. `around` is what is around each call of a sequencer."""

    def __init__(self) -> None:
        self.around: Around = undisturbed
        model = Model()
        super().__init__(model, lambda: Client(model, lambda operation, call: self.around(operation, call)))

    def disturbed(self, around: Around, work: Callable[[], object]) -> None:
        """Does the work as far as what is around its calls lets it."""
        self.around = around
        with suppress(*FAILURES):
            work()
        self.around = undisturbed


class ModelQueue:
    """SQS, as far as the queue of failures is used. What was taken and not deleted comes back when it is `released`."""

    def __init__(self) -> None:
        self.bodies: dict[str, str] = {}
        self._hidden: set[str] = set()
        self._handles = map(str, count())

    def send_message(self, **request: Any) -> None:
        assert len(request["MessageBody"].encode()) <= 262_144
        self.bodies[next(self._handles)] = request["MessageBody"]

    def receive_message(self, **request: Any) -> dict[str, Any]:
        handles = [handle for handle in self.bodies if handle not in self._hidden][: request["MaxNumberOfMessages"]]
        self._hidden.update(handles)
        return {"Messages": [{"ReceiptHandle": handle, "Body": self.bodies[handle]} for handle in handles]}

    def delete_message(self, **request: Any) -> None:
        del self.bodies[request["ReceiptHandle"]]

    def change_message_visibility(self, **request: Any) -> None:
        assert request["VisibilityTimeout"] == 0
        self._hidden.remove(request["ReceiptHandle"])

    def time_passes(self) -> None:
        """More than anything stays hidden."""
        self._hidden.clear()

    def open(self) -> Failures:
        return Failures(self, "failures")


class Clock:
    """Takes the place of the module `time`: nobody waits, and time passes as it is told to."""

    def __init__(self) -> None:
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


def numbers() -> Iterator[int]:
    """0, 1, 2 … but no endless loop, should there be ever more calls."""
    yield from range(80)
    raise AssertionError("80 calls and no end")

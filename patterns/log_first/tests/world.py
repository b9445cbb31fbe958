"""A store in the simulation, without time: each test says in which order its processes make their calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lambdas.eventstore import wire
from lambdas.eventstore.log_first.pending import PARTS
from testkit.examples import Event, event, versions
from testkit.simulation import BEGINNING, Instant, SimulatedDynamoDB
from tests.sequencer.turns import Turns

from . import contention

Request = list[Event]


class World:
    """A store on a DynamoDB whose every call goes through `before` and `after`, and which holds version 1 of ann."""

    def __init__(self) -> None:
        self._dynamodb = SimulatedDynamoDB(Instant(), contention.TABLES, seed=1)
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self.store(event("ann", 1))

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.before()
            answer = getattr(self._dynamodb, operation)(**request)
            self.after()
            return answer

        return call

    def answer(self, operation: wire.Operation, request: Any) -> dict[str, Any]:
        """As a new process answers, whose calls are made one by one."""
        return wire.answer(contention.opened(self, map), operation, request)

    def store(self, *events: Event) -> dict[str, Any]:
        return self.answer("store_events", {"events": list(events), "requestId": "of these events"})

    def crowd(self, appends: int) -> None:
        """As if so many appends were in each other's way: those that come leave their requests to be combined."""
        self.change_last_page(busyUntil={"N": str(BEGINNING + 1)}, crowd={"N": str(appends)})

    def change_last_page(self, **attributes: Any) -> None:
        self._dynamodb.put_item(TableName="log", Item={**self.items("log", "pages")[-1], **attributes})

    def items(self, table: str, partition: str) -> list[dict[str, Any]]:
        """The items of a partition as they are stored."""
        name = contention.TABLES[table][0]
        found: list[dict[str, Any]] = self._dynamodb.query(
            TableName=table,
            KeyConditionExpression=f"{name} = :partition",
            ExpressionAttributeValues={":partition": {"S": partition}},
            Limit=1000,
        )["Items"]
        return found

    def pending(self) -> list[dict[str, Any]]:
        return [item for part in range(PARTS) for item in self.items("pending", f"requests {part}")]

    def aggregate(self, aggregate: str) -> list[Event]:
        return list(self.answer("get_aggregate_events", {"aggregateId": aggregate})["events"])

    def log(self) -> list[Event]:
        return list(self.answer("get_all_events", {})["events"])

    def assert_sound(self) -> None:
        """Offsets are dense, and readers of aggregates see what readers of the log see."""
        log = self.log()
        assert [event["offset"] for event in log] == [str(n) for n in range(1, len(log) + 1)]
        for name in ("ann", "josh", "liz"):
            assert self.aggregate(name) == [event for event in log if event["aggregateId"] == name]
            assert versions(self.aggregate(name)) == list(range(1, len(self.aggregate(name)) + 1))


@contextmanager
def taking_turns(world: World) -> Iterator[Turns]:
    turns = Turns()
    world.before = turns.before_call
    yield turns
    world.before = lambda: None

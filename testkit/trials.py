"""A fresh store on which one fault strikes an operation, and what must hold of it afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore.retry import OutOfTime
from testkit import examples
from testkit.aws_calls import Disturbance, Watch
from testkit.examples import Event, event, history, new_id, versions
from testkit.faults import Crash
from testkit.harness import Environment, Harness
from testkit.subjects import InProcess

FAILURES = (Crash, BotoCoreError, ClientError, OutOfTime)
"""What may leave an operation whose AWS calls are disturbed, besides answers."""


@dataclass
class Request:
    """A request, and what must be stored before it."""

    events: list[Event]
    before: list[list[Event]] = field(default_factory=list)


def first_event() -> Request:
    return Request([event(new_id(), 1, n=examples.numbers())])


def later_event() -> Request:
    aggregate = new_id()
    return Request([event(aggregate, 3, n=examples.numbers())], [history(aggregate, 2)])


def events_of_several_aggregates() -> Request:
    old, new, third = new_id(), new_id(), new_id()
    places = (new, 1), (old, 2), (third, 1), (new, 2), (old, 3)
    mixed = [event(aggregate, version, n=examples.numbers()) for aggregate, version in places]
    return Request(mixed, [history(old, 1)])


REQUESTS = (first_event, later_event, events_of_several_aggregates)


@dataclass
class Trial:
    """A fresh store on which one fault strikes."""

    harness: Harness
    environment: Environment
    watch: Watch
    sheet: dict[str, Any]

    def open(self) -> InProcess:
        """As a new invocation would find it: nothing is remembered from before."""
        return InProcess(self.harness.open(self.environment), self.sheet, self.harness, self.environment)

    def stored(self) -> Counter[tuple[str, int]]:
        """How often each version of each aggregate is stored."""
        return Counter((event["aggregateId"], event["aggregateVersion"]) for event in self.stored_events())

    def stored_events(self) -> list[Event]:
        return self.harness.stored(self.environment)

    def assert_sound(self) -> None:
        """Each stored event once, each aggregate without a hole, and the log the same events in an order that fits."""
        stored = self.stored()
        assert set(stored.values()) <= {1}, f"stored twice: {stored}"
        subject = self.open()
        log = self.drained_log()
        assert Counter((event["aggregateId"], event["aggregateVersion"]) for event in log) == stored
        for aggregate in {aggregate for aggregate, _ in stored}:
            expected = list(range(1, 1 + sum(1 for other, _ in stored if other == aggregate)))
            assert versions([event for event in log if event["aggregateId"] == aggregate]) == expected
            assert versions(subject.aggregate(aggregate)) == expected
        ids = {(event["aggregateId"], event["aggregateVersion"]): event["eventId"] for event in self.stored_events()}
        assert {(event["aggregateId"], event["aggregateVersion"]): event["eventId"] for event in log} == ids
        if self.sheet["guarantees"]["dense_offsets"]:
            assert [event["offset"] for event in log] == [str(n) for n in range(1, len(log) + 1)]

    def drained_log(self) -> list[Event]:
        self.harness.drain(self.environment)
        return self.open().tail(None)[0]


Trials = Callable[[], Any]


def numbers() -> Iterator[int]:
    """0, 1, 2 … but no endless loop, should an operation make ever more calls."""
    yield from range(60)
    raise AssertionError("60 calls and no end")


def disturbed(watch: Watch, disturbance: Disturbance, operation: Callable[[], Any]) -> Any:
    """What the operation answers; None if it fails, as it may under a fault."""
    try:
        with watch.recording(disturbance):
            return operation()
    except FAILURES:
        return None


def ids_of(events: list[Event]) -> list[str]:
    return [event["eventId"] for event in events]


def stored_ids(on: Trial, events: list[Event]) -> list[str | None]:
    ids = {(event["aggregateId"], event["aggregateVersion"]): event["eventId"] for event in on.stored_events()}
    return [ids.get((event["aggregateId"], event["aggregateVersion"])) for event in events]

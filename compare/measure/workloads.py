"""The work that every pattern is measured on, the same to the byte in each run.

An event "of 1 KB" takes 1 KB with all that a store adds to it, so its JSON is a little smaller: units are billed by the
started KB, and a 1 KB payload would tell more about that step than about the pattern. Payloads are words drawn at
random from a fixed seed; they compress to about a third, as JSON of business events does.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from compare.history.record import Answer, Event

Step = Callable[[Answer, int], None]

KB = 1024
ROOM = 300
"""Bytes that a store may add to an event's JSON: its id, offset, request id, keys of an index."""

SIZES = (KB, 10 * KB)
"""Bytes of the events that operations are reported for."""

CURVE_SIZES = (512, KB, 2 * KB, 4 * KB, 10 * KB, 40 * KB)
"""… and that the cost of a month is worked out for."""

SLOW, FAST = 1.0, 100.0
"""Appends a second for which the price of a million is told: an event has a batch for itself, or shares one."""

RATES = (0.001, 1000.0)
"""Appends a second between which the cost of a month is worked out, as far as a store sustains them."""

TOLD_RATES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
"""… and for which it is told in a table."""

_NAMESPACE = UUID("5b8f3c52-6a5c-4c4e-9f0e-2f7c3f3b6d11")
_WORDS = "account amount balance branch card client credit currency customer date debit deposit fee holder iban limit"
_VOCABULARY = [*_WORDS.split(), *(f"{number:04}" for number in range(0, 10_000, 7))]


def aggregate_id(name: str) -> str:
    """A UUID, the same in each run."""
    return str(uuid5(_NAMESPACE, name))


def event(aggregate: str, version: int, size: int) -> Event:
    """An event that takes up to `size` bytes once it is stored."""
    made: Event = {
        "aggregateId": aggregate_id(aggregate),
        "aggregateVersion": version,
        "eventType": "MONEY_DEPOSITED",
        "eventVersion": 1,
        "metadata": {"text": ""},
    }
    length = size - ROOM - len(json.dumps(made, separators=(",", ":")))
    words = random.Random(f"{aggregate} {version}").choices(_VOCABULARY, k=length // 4)
    return {**made, "metadata": {"text": " ".join(words)[:length].ljust(length, ".")}}


def request(name: str, events: Sequence[Event]) -> dict[str, Any]:
    """With a request id, as a careful caller has."""
    return {"events": list(events), "requestId": aggregate_id(f"request {name}")}


def append(store: Answer, aggregate: str, first: int, count: int, size: int) -> None:
    """`count` events of one aggregate, in one request."""
    events = [event(aggregate, version, size) for version in range(first, first + count)]
    answer = store("store_events", request(f"{aggregate} {first}", events))
    assert "events" in answer, f"refused: {answer}"


def read_all(store: Answer, after: str | None = None, limit: int = 1000) -> list[Event]:
    """All events behind `after`, page by page."""
    events: list[Event] = []
    more = True
    while more:
        page = read_page(store, after, limit)
        events += page["events"]
        after, more = page["next"], page["hasMore"]
    return events


def read_page(store: Answer, after: str | None, limit: int = 1000) -> dict[str, Any]:
    return store("get_all_events", {"limit": limit} if after is None else {"limit": limit, "after": after})


@dataclass(frozen=True)
class Workload:
    """`prepare` comes before, then `step` is measured, on a store whose pipeline is drained. Both are given a size."""

    what: str
    prepare: Step
    step: Step


def _append(aggregate: str, first: int, count: int) -> Step:
    return lambda store, size: append(store, aggregate, first, count, size)


def _append_many(store: Answer, size: int) -> None:
    for number in range(10):
        append(store, f"prepared {number}", 1, 10, size)


def _read_aggregate(store: Answer, size: int) -> None:
    assert len(store("get_aggregate_events", {"aggregateId": aggregate_id("prepared")})["events"]) == 10


def reading_all(limit: int, expected: int = 100) -> Step:
    """In requests of so many events, or fewer where a service limits what an answer may hold."""

    def step(store: Answer, size: int) -> None:
        assert len(read_all(store, limit=limit)) == expected

    return step


OPERATIONS = {
    "append_first": Workload("append the first event of an aggregate", lambda *_: None, _append("new", 1, 1)),
    "append_1": Workload("append 1 event", _append("prepared", 1, 3), _append("prepared", 4, 1)),
    "append_10": Workload("append 10 events in one request", _append("prepared", 1, 3), _append("prepared", 4, 10)),
    "read_aggregate": Workload("read an aggregate of 10 events", _append("prepared", 1, 10), _read_aggregate),
    "read_page": Workload("read 100 events of all aggregates, at most 100 a page", _append_many, reading_all(100)),
    "catch_up": Workload("read all of 100 events from the start, 25 a page", _append_many, reading_all(25)),
}

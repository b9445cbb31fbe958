"""The work that every pattern is measured on, the same to the byte in each run.

An event "of 1 KB" takes 1 KB with all that a store adds to it, so its JSON is a little smaller: units are billed by the
started KB, and a 1 KB payload would tell more about that step than about the pattern. Payloads are words drawn at
random from a fixed seed; they compress to about a third, as JSON of business events does.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from compare.history import Answer

Event = dict[str, Any]
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

LOWEST_RATE, HIGHEST_RATE = 0.001, 1000.0
"""Appends a second between which the cost of a month is worked out, as far as a store bears them."""

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
    return {**made, "metadata": {"text": _text(f"{aggregate} {version}", length)}}


def request(name: str, events: Sequence[Event]) -> dict[str, Any]:
    """With a request id, as a careful caller has."""
    return {"events": list(events), "requestId": aggregate_id(f"request {name}")}


def append(store: Answer, aggregate: str, first: int, count: int, size: int) -> None:
    """`count` events of one aggregate, in one request."""
    events = [event(aggregate, version, size) for version in range(first, first + count)]
    answer = store("store_events", request(f"{aggregate} {first}", events))
    assert "events" in answer, f"refused: {answer}"


def _text(seed: str, length: int) -> str:
    words = random.Random(seed).choices(_VOCABULARY, k=length // 4)
    return " ".join(words)[:length].ljust(length, ".")


@dataclass(frozen=True)
class Workload:
    """`prepare` comes before, then `step` is measured, on a store that has come to rest. Both are given a size."""

    what: str
    prepare: Step
    step: Step


def _nothing(store: Answer, size: int) -> None:
    pass


def _prepare(events: int) -> Step:
    """One aggregate."""

    def prepare(store: Answer, size: int) -> None:
        append(store, "prepared", 1, events, size)

    return prepare


def _prepare_many(store: Answer, size: int) -> None:
    for number in range(10):
        append(store, f"prepared {number}", 1, 10, size)


def _append_first(store: Answer, size: int) -> None:
    append(store, "new", 1, 1, size)


def _append(events: int) -> Step:
    def step(store: Answer, size: int) -> None:
        append(store, "prepared", 4, events, size)

    return step


def _read_aggregate(store: Answer, size: int) -> None:
    answer = store("get_aggregate_events", {"aggregateId": aggregate_id("prepared")})
    assert len(answer["events"]) == 10


def _read_page(store: Answer, size: int) -> None:
    """In one request, or more where a service limits what an answer may hold."""
    assert len(read_all(store, limit=100)) == 100


def _catch_up(store: Answer, size: int) -> None:
    assert len(read_all(store, limit=25)) == 100


def read_all(store: Answer, after: str | None = None, limit: int = 1000) -> list[Event]:
    """All events behind `after`, page by page."""
    events: list[Event] = []
    more = True
    while more:
        page = store("get_all_events", {"limit": limit} if after is None else {"limit": limit, "after": after})
        events += page["events"]
        after, more = page["next"], page["hasMore"]
    return events


OPERATIONS = {
    "append_first": Workload("append the first event of an aggregate", _nothing, _append_first),
    "append_1": Workload("append 1 event", _prepare(3), _append(1)),
    "append_10": Workload("append 10 events in one request", _prepare(3), _append(10)),
    "read_aggregate": Workload("read an aggregate of 10 events", _prepare(10), _read_aggregate),
    "read_page": Workload("read 100 events of all aggregates, at most 100 a page", _prepare_many, _read_page),
    "catch_up": Workload("read all of 100 events from the start, 25 a page", _prepare_many, _catch_up),
}

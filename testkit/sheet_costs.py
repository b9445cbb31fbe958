"""The work that a guarantee sheet's `[costs]` price, each as one step that is measured on a store made ready for it.

`[costs]` of a pattern's sheet has one entry for each of these. Events are small: their items fit 1 KB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from testkit.examples import event, history, new_id
from testkit.subjects import InProcess

Step = Callable[[InProcess], object]


@dataclass(frozen=True)
class Workload:
    """`prepare` makes a store ready and gives the step to measure on a new one. Cost is per event, of `events`."""

    what: str
    prepare: Callable[[InProcess], Step]
    events: int = 1


def _first_event(_store: InProcess) -> Step:
    return lambda store: store.store(event(new_id(), 1))


def _later_event(store: InProcess) -> Step:
    aggregate = new_id()
    store.store(*history(aggregate, 3))
    store.drain()
    return lambda store: store.store(event(aggregate, 4))


def _command(store: InProcess) -> Step:
    aggregate = new_id()
    store.store(*history(aggregate, 3))
    store.drain()

    def step(store: InProcess) -> None:
        loaded = store.aggregate(aggregate)
        store.store(event(aggregate, len(loaded) + 1))

    return step


def _ten_events(store: InProcess) -> Step:
    aggregate = new_id()
    store.store(event(aggregate, 1))
    store.drain()
    return lambda store: store.store(*history(aggregate, 10, first=2))


def _ten_aggregates(store: InProcess) -> Step:
    aggregates = [new_id() for _ in range(10)]
    store.store(*(event(aggregate, 1) for aggregate in aggregates))
    store.drain()
    return lambda store: store.store(*(event(aggregate, 2) for aggregate in aggregates))


def _conflict(store: InProcess) -> Step:
    aggregate = new_id()
    store.store(*history(aggregate, 3))
    store.drain()
    return lambda store: store.try_to_store(event(aggregate, 3))


def _read_aggregate(store: InProcess) -> Step:
    aggregate = new_id()
    for first in (1, 26, 51, 76):
        store.store(*history(aggregate, 25, first=first))
    store.drain()
    return lambda store: store.call("get_aggregate_events", aggregateId=aggregate)


def _read_all(store: InProcess) -> Step:
    for _ in range(4):
        store.store(*history(new_id(), 25))
    store.drain()
    return lambda store: store.call("get_all_events")


def _fifty_appends(_store: InProcess) -> Step:
    def step(store: InProcess) -> None:
        for _ in range(50):
            store.store(event(new_id(), 1))
        store.drain()

    return step


WORKLOADS = {
    "first_event": Workload("store the first event of an aggregate", _first_event),
    "later_event": Workload("store a later event", _later_event),
    "command": Workload("read an aggregate of 3 events and store the next one, in one process", _command),
    "ten_events": Workload("store 10 events of one aggregate in one request, per event", _ten_events, events=10),
    "ten_aggregates": Workload(
        "store an event each of 10 aggregates in one request, per event", _ten_aggregates, events=10
    ),
    "conflict": Workload("be refused for a taken version", _conflict),
    "read_aggregate": Workload("read a page of 100 events of an aggregate", _read_aggregate),
    "read_all": Workload("read a page of 100 events of the log", _read_all),
    "fifty_appends": Workload(
        "store first events in 50 requests, and carry them into the log, per event", _fifty_appends, 50
    ),
}

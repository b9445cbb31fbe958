"""Many writers at one tail, in virtual time; their histories are checked as those of `make compare` are.

Every interleaving is drawn from a seed, so each of these always passes or always fails. The latencies are a model; what
is asserted are proportions.
"""

from __future__ import annotations

import random
from contextlib import suppress
from functools import cache, partial
from typing import Any

import pytest

from compare.history.checker import check
from compare.history.record import Answer, Recorder
from lambdas.eventstore import wire
from lambdas.eventstore.contract import Append
from lambdas.eventstore.events import NewEvent
from lambdas.eventstore.limits import EVENT_BYTES
from testkit.contention import Outcome
from testkit.examples import event
from testkit.faults import Crash
from testkit.simulation import SimulatedDynamoDB, VirtualTime, virtual_retries

from . import contention

PARTITION_WRITE_UNITS = 1000.0
"""A second (developerguide/bp-partition-key-design, read 2026-11)."""

REQUEST_SECONDS = 60.0

AGGREGATES = [f"aggregate {n}" for n in range(16)]


MOST_SECONDS = {1: 1.0, 20: 10.0}
"""That an append takes at most, however many writers there are, by the factor on the latencies."""


@cache
def at_the_limit(writers: int, events: int = 1, slowness: float = 1.0) -> Outcome:
    """What writers achieve on a log whose partitions have AWS's limit. `slowness` is a factor on the latencies."""
    seconds = 3 if slowness == 1 else 60
    return contention.contend(writers, seconds, events, slowness=slowness, write_units=PARTITION_WRITE_UNITS)


@pytest.mark.parametrize(("writers", "times"), [(2, 0.6), (4, 0.9), (16, 3.0), (64, 9.0)])
def test_the_more_append_the_more_are_stored(writers: int, times: float) -> None:
    """Two hinder each other: a writer that is alone always knows the last page, and need not read what it knows."""
    alone, together = at_the_limit(1), at_the_limit(writers)

    assert sum(together.appends) > times * sum(alone.appends)


@pytest.mark.parametrize(
    ("events", "writers", "slowness"),
    [(1, 2, 1), (1, 4, 1), (1, 16, 1), (1, 64, 1), (10, 16, 1), (1, 16, 20), (1, 64, 20)],
)
def test_no_append_waits_long_and_none_is_raised(events: int, writers: int, slowness: int) -> None:
    """Also where a put takes 200 ms and not 10, in the 30 s that a Lambda has."""
    outcome = at_the_limit(writers, events, slowness)

    assert outcome.raised == 0
    assert outcome.waits[-1] < MOST_SECONDS[slowness]
    assert min(outcome.appends) > 0.4 * max(outcome.appends)


@pytest.mark.parametrize(("writers", "units"), [(1, 2.0), (4, 3.8), (16, 3.3), (64, 3.3)])
def test_what_an_append_costs(writers: int, units: float) -> None:
    """Its request is put, as a part of a page, pending and in the table of events, and the pending one is removed."""
    outcome = at_the_limit(writers)

    assert outcome.write_units <= units * sum(outcome.appends)
    assert outcome.read_units < 12 * sum(outcome.appends)


def test_whoever_dies_with_the_events_of_many_still_to_put_is_waited_for_for_a_moment() -> None:
    time = VirtualTime()
    dynamodb = SimulatedDynamoDB(time, contention.TABLES, seed=1)
    waits, deaths = list[float](), list[str]()

    def write(name: str) -> None:
        store, version = contention.opened(Mortal(dynamodb, deaths), time.map), 0
        while time.now < 3.0:
            began, version = time.now, version + 1
            store.store_events(Append((NewEvent(name, version, "TICK", 1, {}),)))
            waits.append(time.now - began)

    def until_death(name: str) -> None:
        with suppress(Crash):
            write(name)

    with virtual_retries(time, 1, *contention.MODULES):
        time.run(*(partial(until_death, f"aggregate {n}") for n in range(16)))

    assert len(deaths) == MORTALS
    assert max(waits) < 1.0


MORTALS = 5


class Mortal:
    """The client of a process that dies once it has put a page of several requests, if not enough have died so."""

    def __init__(self, client: SimulatedDynamoDB, deaths: list[str]) -> None:
        self._client, self._deaths = client, deaths
        self._leads = self._dead = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_item(self, **put: Any) -> None:
        if put["TableName"] == "events" and self._leads and not self._dead and len(self._deaths) < MORTALS:
            self._deaths.append(put["Item"]["aggregateId"]["S"])
            self._dead = True
        if self._dead:
            raise Crash
        self._client.put_item(**put)
        self._leads = int(put["Item"].get("events", {"N": "0"})["N"]) > 4


@pytest.mark.parametrize(("writers", "slowness"), [(16, 1), (16, 20)])
def test_without_a_table_for_pending_requests_appends_take_turns(writers: int, slowness: int) -> None:
    def contend(writers: int) -> Outcome:
        seconds = 8 if slowness == 1 else 60
        return contention.contend_in_turns(
            writers, seconds, slowness=slowness, write_units=PARTITION_WRITE_UNITS, limit=120
        )

    outcome = contend(writers)

    assert outcome.raised == 0
    assert outcome.waits[-1] < 12 * writers * outcome.turn
    assert sum(outcome.appends) > 0.75 * sum(contend(1).appends)


class Work:
    """Writers of requests over sixteen aggregates, who go by what they have read; and readers who follow the log."""

    def __init__(self, time: VirtualTime, recorder: Recorder, wanted: int, seed: int) -> None:
        self._time, self._recorder, self._wanted, self._seed = time, recorder, wanted, seed
        self._stored = 0

    def write(self, name: str) -> None:
        call, draw, numbers = self._recorder.client(name), random.Random(f"{self._seed} {name}"), 0
        while self._stored < self._wanted:
            chosen = draw.sample(AGGREGATES, draw.choice([1, 1, 1, 2]))
            at = {aggregate: len(read_all(call, aggregate)) for aggregate in chosen}
            events = [
                event(aggregate, version + n, writer=name, n=(numbers := numbers + 1), text=text(draw))
                for aggregate, version in at.items()
                for n in range(1, draw.choice([1, 1, 2, 4]) + 1)
            ]
            answer = call("store_events", {"events": events, "requestId": f"{name} {numbers}"})
            self._stored += len(answer.get("events", []))

    def follow(self, name: str, limit: int) -> None:
        call, after, more = self._recorder.client(name), None, True
        while more or self._stored < self._wanted:
            answer = call("get_all_events", {"limit": limit} | ({"after": after} if after else {}))
            after, more = answer["next"], answer["hasMore"]
            if not more:
                self._time.sleep(0.05)

    def audit(self, name: str) -> None:
        self.follow(name, 1000)
        for aggregate in AGGREGATES:
            read_all(self._recorder.client(name), aggregate)


def text(draw: random.Random) -> str:
    """Now and then a payload that needs a body."""
    return draw.randbytes(EVENT_BYTES // 8).hex() if draw.random() < 0.02 else ""


def read_all(call: Answer, aggregate: str) -> list[Any]:
    events: list[Any] = []
    start: int | None = 1
    while start:
        page = call("get_aggregate_events", {"aggregateId": aggregate, "fromVersion": start, "limit": 1000})
        events, start = events + page["events"], page["nextVersion"]
    return events


def test_a_history_of_two_thousand_events_of_sixteen_writers_has_no_anomaly() -> None:
    time, seed = VirtualTime(), 1
    dynamodb = SimulatedDynamoDB(time, contention.TABLES, seed)

    def answer(operation: wire.Operation, request: Any) -> dict[str, Any]:
        return wire.answer(contention.opened(dynamodb, time.map), operation, request, REQUEST_SECONDS)

    recorder = Recorder(answer, time.monotonic)
    work = Work(time, recorder, 2000, seed)
    with virtual_retries(time, seed, *contention.MODULES):
        time.run(
            *(partial(work.write, f"writer {n}") for n in range(16)),
            *(partial(work.follow, f"reader {limit}", limit) for limit in (1000, 50)),
        )
        time.run(partial(work.audit, "auditor"))

    assert check(recorder.calls) == []
    assert sum(len(call.events) for call in recorder.calls if call.operation == "store_events") >= 2000
    assert any(call.refused for call in recorder.calls), "the writers never met"

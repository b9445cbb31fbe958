"""Many writers at one tail, in virtual time; their histories are checked as those of `make compare` are.

Every interleaving is drawn from a seed, so each of these always passes or always fails. The latencies are a model; what
is asserted are proportions.
"""

from __future__ import annotations

import random
from functools import cache, partial
from typing import Any

import pytest

from compare.history.checker import check
from compare.history.record import Answer, Recorder
from lambdas.eventstore import wire
from lambdas.eventstore.limits import EVENT_BYTES
from lambdas.eventstore.log_first import store as module
from testkit.contention import Outcome
from testkit.examples import event
from testkit.simulation import SimulatedDynamoDB, VirtualTime, virtual_retries

from . import contention

PARTITION_WRITE_UNITS = 1000.0
"""A second (developerguide/bp-partition-key-design, read 2026-11)."""

MOST_TURNS = 12
"""Of each of the writers: the longest wait. In a waiting line it would be one. Of few writers, the last one to append
may do so several times more, since it knows the last page and so is quicker."""

REQUEST_SECONDS = 60.0

AGGREGATES = [f"aggregate {n}" for n in range(16)]


@cache
def at_the_limit(writers: int, events: int = 1, slowness: float = 1.0) -> Outcome:
    """What writers achieve on a log whose partition has AWS's limit. `slowness` is a factor on the latencies."""
    seconds = 8 if slowness == 1 else 60
    return contention.contend(writers, seconds, events, slowness=slowness, write_units=PARTITION_WRITE_UNITS, limit=120)


@pytest.mark.parametrize("writers", [4, 16, 64])
def test_contention_costs_a_quarter_of_the_throughput_at_most(writers: int) -> None:
    """It costs something: a writer that is alone always knows the last page, and need not read what it knows."""
    alone, together = at_the_limit(1), at_the_limit(writers)

    assert sum(together.appends) > 0.75 * sum(alone.appends)


@pytest.mark.parametrize(
    ("events", "writers", "slowness"), [(1, 4, 1), (1, 16, 1), (1, 64, 1), (10, 16, 1), (1, 16, 20)]
)
def test_nobody_waits_for_more_than_a_few_turns_of_all(events: int, writers: int, slowness: float) -> None:
    """Also where a put takes 200 ms and not 10."""
    outcome = at_the_limit(writers, events, slowness)

    assert outcome.raised == 0
    assert outcome.waits[-1] < MOST_TURNS * writers * outcome.turn


def test_sixty_four_writers_at_the_limit_of_the_partition_wait_for_seconds() -> None:
    assert at_the_limit(64).waits[-1] < 4.0


def test_a_lost_race_costs_one_put_and_seldom_those_of_the_winner_s_events() -> None:
    outcome = at_the_limit(16)
    appends = sum(outcome.appends)

    assert outcome.puts == 2 * appends + outcome.refused
    assert outcome.refused < 4 * appends


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
    with virtual_retries(time, seed, module):
        time.run(
            *(partial(work.write, f"writer {n}") for n in range(16)),
            *(partial(work.follow, f"reader {limit}", limit) for limit in (1000, 50)),
        )
        time.run(partial(work.audit, "auditor"))

    assert check(recorder.calls) == []
    assert sum(len(call.events) for call in recorder.calls if call.operation == "store_events") >= 2000
    assert any(call.refused for call in recorder.calls), "the writers never met"

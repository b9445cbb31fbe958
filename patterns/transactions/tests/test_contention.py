"""Many writers at one tail, in virtual time, on a DynamoDB that takes its transactions apart as the real one may.

Every interleaving is drawn from a seed, so each of these always passes or always fails. The latencies are a model; what
is asserted are proportions.
"""

from __future__ import annotations

import random
from functools import cache, partial

import pytest

from lambdas.eventstore import Append, NewEvent, StoredEvent
from testkit.simulation import SimulatedDynamoDB, VirtualTime, virtual_retries
from testkit.total_order import History, check_order, shares, tail

from .. import store as module
from . import contention

contend = cache(contention.contend)
SECONDS = 10
LONG = 30
"""Enough turns for shares to level out."""

QUICK, SLOW = 1.0, 20.0
"""Factors on the latencies: a transaction takes about 20 ms, or 400."""

MOST_TURNS = 6
"""Of each of the writers: the longest wait. In a waiting line it would be one."""

PARTITION_WRITE_UNITS = 1000.0
"""A second (developerguide/bp-partition-key-design, read 2026-11)."""


@pytest.mark.parametrize("events", [1, 10])
@pytest.mark.parametrize("writers", [2, 4, 8, 16])
def test_contention_costs_a_tenth_of_the_throughput_at_most(writers: int, events: int) -> None:
    """It costs a pair a little: a writer that is alone is never refused, and remembers what it would have to read."""
    assert sum(contend(writers, SECONDS, events).appends) > 0.9 * sum(contend(1, SECONDS, events).appends)


@pytest.mark.parametrize("writers", [2, 4, 8, 16])
def test_every_writer_gets_its_share(writers: int) -> None:
    appends = contend(writers, LONG).appends

    assert min(appends) > 0.65 * max(appends)


@pytest.mark.parametrize("events", [1, 10])
@pytest.mark.parametrize("writers", [1, 4, 16, 64])
@pytest.mark.parametrize("slowness", [QUICK, SLOW])
def test_nobody_waits_for_more_than_a_few_turns_of_all(slowness: float, writers: int, events: int) -> None:
    """Where a transaction takes 20 ms and where it takes 400 ms, on a log whose partition has AWS's limit."""
    seconds = 12 if slowness == QUICK else 60
    outcome = contend(writers, seconds, events, slowness=slowness, write_units=PARTITION_WRITE_UNITS, limit=120)

    assert outcome.raised == 0
    assert outcome.waits[-1] < MOST_TURNS * writers * outcome.turn


@pytest.mark.parametrize("events", [1, 10])
def test_sixty_four_writers_at_the_limit_of_the_partition_wait_for_seconds(events: int) -> None:
    assert contend(64, 12, events, slowness=QUICK, write_units=PARTITION_WRITE_UNITS, limit=120).waits[-1] < 4.0


@pytest.mark.parametrize("writers", [2, 8, 16])
def test_where_transactions_take_long_appends_end_within_their_lambda_s_time(writers: int) -> None:
    outcome = contend(writers, 60, slowness=SLOW, write_units=PARTITION_WRITE_UNITS)

    assert outcome.raised == 0


def test_a_log_that_was_busy_is_given_way_to_once_and_only_for_a_while() -> None:
    """A lone append that comes right behind a rush waits once; one that comes later does not wait at all."""
    time = VirtualTime()
    store = contention.opened(SimulatedDynamoDB(time, contention.TABLES, seed=1), time.map)
    waits: list[float] = []

    def append(name: str, version: int) -> None:
        store.store_events(Append((NewEvent(name, version, "TICK", 1, {}),)))

    def alone() -> None:
        for version, pause in enumerate((3.0, 0.0, 120.0, 0.0), 1):
            time.sleep(pause)
            began = time.now
            append("alone", version)
            waits.append(time.now - began)

    with virtual_retries(time, 1, module):
        time.run(*(partial(append, f"rush {n}", 1) for n in range(32)), alone)

    assert max(waits[1:]) < 0.1


def test_fewer_transactions_are_lost_than_if_all_tried_at_once() -> None:
    assert contend(16, LONG).tries < 16 / 2


@pytest.mark.parametrize("seed", range(3))
def test_two_thousand_events_of_sixteen_writers_stand_in_one_order_for_every_reader(seed: int) -> None:
    time, events, writers = VirtualTime(), 2000, 16
    store = contention.opened(SimulatedDynamoDB(time, contention.TABLES, seed), time.map)
    history = History(time.monotonic)
    reads: list[list[StoredEvent]] = []

    def read(limit: int) -> None:
        reads.append(tail(store, events, limit, pause=partial(time.sleep, 0.05)))

    sizes = [shares(events // writers, 8, random.Random(f"{seed} {writer}")) for writer in range(writers)]
    with virtual_retries(time, seed, module):
        time.run(
            *(partial(history.write, store, writer, sizes[writer]) for writer in range(writers)),
            *(partial(read, limit) for limit in (1000, 50, 7)),
        )

    check_order(history, reads, events)

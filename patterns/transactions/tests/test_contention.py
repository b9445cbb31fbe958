"""Many writers at one tail, in virtual time, on a DynamoDB that takes its transactions apart as the real one may.

Every interleaving is drawn from a seed, so each of these always passes or always fails. The latencies are a model; what
is asserted are proportions.
"""

from __future__ import annotations

import random
from functools import cache, partial

import pytest

from lambdas.eventstore import StoredEvent

from ..store import TransactionsEventStore
from . import contention
from .simulation import SimulatedDynamoDB, VirtualTime, virtual_retries
from .total_order import History, check_order, shares, tail

contend = cache(contention.contend)
SECONDS = 10
LONG = 30
"""Enough turns for shares to level out."""


@pytest.mark.parametrize("events", [1, 10])
@pytest.mark.parametrize("writers", [2, 4, 8, 16])
def test_contention_costs_no_throughput(writers: int, events: int) -> None:
    assert sum(contend(writers, SECONDS, events).appends) > 0.95 * sum(contend(1, SECONDS, events).appends)


@pytest.mark.parametrize("writers", [2, 4, 8, 16])
def test_every_writer_gets_its_share(writers: int) -> None:
    appends = contend(writers, LONG).appends

    assert min(appends) > 0.65 * max(appends)


def test_nobody_waits_for_more_than_a_few_turns_of_all() -> None:
    outcome = contend(16, LONG)

    assert outcome.waits[-1] < 5 * 16 * outcome.turn


def test_fewer_transactions_are_lost_than_if_all_tried_at_once() -> None:
    assert contend(16, LONG).tries < 16 / 2


@pytest.mark.parametrize("seed", range(3))
def test_two_thousand_events_of_sixteen_writers_stand_in_one_order_for_every_reader(seed: int) -> None:
    time, events, writers = VirtualTime(), 2000, 16
    store = TransactionsEventStore(SimulatedDynamoDB(time, seed), "events", "log")
    history = History(time.monotonic)
    reads: list[list[StoredEvent]] = []

    def read(limit: int) -> None:
        reads.append(tail(store, events, limit, pause=partial(time.sleep, 0.05)))

    sizes = [shares(events // writers, 8, random.Random(f"{seed} {writer}")) for writer in range(writers)]
    with virtual_retries(time, seed):
        time.run(
            *(partial(history.write, store, writer, sizes[writer]) for writer in range(writers)),
            *(partial(read, limit) for limit in (1000, 50, 7)),
        )

    check_order(history, reads, events)

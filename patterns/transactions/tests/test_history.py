"""Sixteen writers at once, on the local AWS: what they recorded is one total order.

The emulator is one process and slow under such load, so the long history, of 2,000 events, is in test_contention.py.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import boto3
import pytest
from botocore.config import Config

from lambdas.eventstore import EventStore, StoredEvent
from lambdas.eventstore.remote import RemoteEventStore
from testkit.harness import Environment
from testkit.session import Session
from testkit.total_order import History, check_order, out_of_real_time_order, tail

from ..store import from_environment
from .conftest import PATTERN

POLL_SECONDS = 0.25
THINK_SECONDS = 0.5
PATIENT = Config(read_timeout=60, retries={"total_max_attempts": 1})


@pytest.fixture
def services() -> None:
    """All of it on the local AWS: what is tried is many requests at the same time."""


def test_events_of_sixteen_writers_stand_in_one_order_for_every_reader(environment: Environment) -> None:
    store = from_environment(environment)
    sizes = [[10, 1, 8, 1, 5]] * 16
    history, reads = recorded(store, sizes, limits=(1000, 50))

    check_order(history, reads, events=16 * 25)


def test_appends_of_deployed_functions_stand_in_real_time_order(aws: None, session: Session) -> None:
    store = RemoteEventStore(boto3.client("lambda", config=PATIENT), session.deployment(PATTERN.name)["functions"])
    before = end_of_log(store)
    history, _ = recorded(store, [[1, 3, 2], [2, 1, 3], [3, 2, 1], [1, 1, 4]], limits=())
    offsets = [event.offset for event in read_from(store, before)]

    positions = [position for append in history.appends for position in append.positions]
    assert len(set(positions)) == len(positions) == 24
    assert offsets == [str(n) for n in range(int(before or 0) + 1, int(before or 0) + 1 + len(offsets))]
    assert {str(position) for position in positions} <= set(offsets)
    assert not out_of_real_time_order(history.appends)


def end_of_log(store: EventStore) -> str | None:
    return max((event.offset for event in read_from(store, None) if event.offset), key=int, default=None)


def read_from(store: EventStore, after: str | None) -> list[StoredEvent]:
    read: list[StoredEvent] = []
    more = True
    while more:
        page = store.get_all_events(after, 1000)
        read.extend(page.events)
        after, more = page.next, page.has_more
    return read


def recorded(
    store: EventStore, sizes: Sequence[Sequence[int]], limits: Sequence[int]
) -> tuple[History, list[list[StoredEvent]]]:
    """What happens when a writer for each of `sizes` and a tailing reader for each of `limits` work at once."""
    events = sum(map(sum, sizes))
    history = History(time.monotonic)
    with ThreadPoolExecutor(len(sizes) + len(limits)) as pool:
        readers = [pool.submit(tail, store, events, limit, partial(time.sleep, POLL_SECONDS)) for limit in limits]
        writers = [pool.submit(history.write, store, writer, of_it, think) for writer, of_it in enumerate(sizes)]
        for writing in writers:
            writing.result()
    return history, [reader.result() for reader in readers]


def think() -> None:
    """Keeps the load near what the emulator, one process, can take; writers still meet all the time."""
    time.sleep(random.uniform(0, THINK_SECONDS))

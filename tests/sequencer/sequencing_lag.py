"""How long an event takes to show in the log, and what sequencing takes: `python -m tests.sequencer.sequencing_lag`.

Lag is measured through the deployed pipelines, on a local AWS of its own; stores and reads are made in this process.
Two loads: one event at a time, the next when the last has shown, and a steady rate that does not wait. Figures of an
emulator: they compare the patterns' own work, and leave out AWS's polling and networks. CPU time is the client's.
"""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from unittest.mock import patch
from uuid import uuid4

import boto3

from lambdas.eventstore import Append, EventStore, aws
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.events import NewEvent
from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing.doorbells import BATCH
from lambdas.eventstore.sequencing.log import Log
from lambdas.eventstore.sequencing.sequencer import Sequencer
from testkit.session import Owner, Session
from tests.sequencer.world import World
from tools.console import run
from tools.discovery import select

PATTERNS = ("single_writer", "sqs_fifo")
ROUNDS, EVENTS = 5, 100
RATE = 40.0
"""Events a second: well below what one laptop's emulator carries."""

SECONDS = 60.0


def main() -> None:
    owner = Owner([pattern for name in PATTERNS for pattern in select(name)])
    try:
        session = Session(owner.folder)
        with patch.dict(os.environ, session.aws()):
            print(f"CPU of a sequencer, an event, {BATCH} aggregates at a time: {cpu_per_event() * 1000:.1f} ms")
            print(f"lag from store to get_all_events, ms, {ROUNDS * EVENTS} events each, on an emulator")
            print(f"{'pattern':15}{'load':20}{'p50':>8}{'p99':>8}{'max':>8}")
            stores = {name: opened(session, name) for name in PATTERNS}
            lags: dict[tuple[str, str], list[float]] = defaultdict(list)
            for _ in range(ROUNDS):  # in turns, so that what else the machine does is shared fairly
                for name, store in stores.items():
                    lags[name, "one at a time"] += one_at_a_time(store)
                    lags[name, f"{RATE:.0f} a second"] += steady(store)
            for (name, load), seconds in sorted(lags.items()):
                p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
                print(f"{name:15}{load:20}{p50 * 1000:8.0f}{p99 * 1000:8.0f}{max(seconds) * 1000:8.0f}")
    finally:
        owner.close()


def opened(session: Session, pattern: str) -> EventStore:
    environment = session.deployment(pattern)["environment"]
    store: EventStore = import_module(f"patterns.{pattern}.store").from_environment(environment)
    return store


def cpu_per_event() -> float:
    client = aws.client("dynamodb")
    world = World(boto3.client("dynamodb"), lambda: client)
    log = Log(client, world.log, ThreadPoolExecutor(10).map)
    sequencer = Sequencer(EventsTable(client, world.events), log)
    took = []
    for version in range(1, 6):
        news = {f"aggregate {n}": version for n in range(BATCH)}
        world.store(*news.items())
        began = time.process_time()
        with time_limit(SECONDS):
            sequencer.sequence(news)
        took.append((time.process_time() - began) / BATCH)
    world.remove()
    return statistics.median(took)


def one_at_a_time(store: EventStore) -> list[float]:
    watch = Tail(store)
    for _ in range(10):  # until all Lambdas are warm
        watch.wait_for(append(store))
    return [watch.wait_for(append(store)) for _ in range(EVENTS)]


def steady(store: EventStore) -> list[float]:
    watch, stored = Tail(store), {}
    began = time.monotonic()

    def store_at(seconds: float) -> None:
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        event_id, at = append(store)
        stored[event_id] = at

    with ThreadPoolExecutor(16) as pool:
        appends = [pool.submit(store_at, n / RATE) for n in range(EVENTS)]
        while not all(done.done() for done in appends) or not stored.keys() <= watch.seen.keys():
            watch.look()
            assert time.monotonic() < began + SECONDS, "events do not show"
        for done in appends:
            done.result()
    return [watch.seen[event_id] - at for event_id, at in stored.items()]


def append(store: EventStore) -> tuple[str, float]:
    """Stores an event of a new aggregate; its id, and when that was done."""
    event = NewEvent(str(uuid4()), 1, "MONEY_DEPOSITED", 1, {"amount": 1})
    with time_limit(SECONDS):
        [stored] = store.store_events(Append((event,)))
    return stored.event_id, time.monotonic()


class Tail:
    """Follows the log from its end, and notes when each event shows."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._after: str | None = None
        self.seen: dict[str, float] = {}
        while self.look():
            pass

    def look(self) -> bool:
        time.sleep(0.005)  # or the reader itself would be the load
        page = self._store.get_all_events(self._after, 1000)
        now = time.monotonic()
        self.seen.update({event.event_id: now for event in page.events})
        self._after = page.next
        return bool(page.events)

    def wait_for(self, stored: tuple[str, float]) -> float:
        event_id, at = stored
        while event_id not in self.seen:
            self.look()
            assert time.monotonic() < at + SECONDS, "the event does not show"
        return self.seen[event_id] - at


if __name__ == "__main__":
    run(main)

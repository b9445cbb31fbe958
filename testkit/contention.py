"""Writers that append without a pause, each to an aggregate of its own, all to one simulated log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from lambdas.eventstore.contract import Append, EventStore
from lambdas.eventstore.events import NewEvent
from lambdas.eventstore.retry import OutOfTime, time_limit
from testkit.simulation import UNLIMITED, SimulatedDynamoDB, Tables, VirtualTime, virtual_retries

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

LAMBDA_SECONDS = 30.0


@dataclass(frozen=True)
class Outcome:
    """`appends` of each writer; `waits`, the seconds that each took, rising; `transactions`, with those that lost.

    `raised` counts the appends that ran out of time. `puts` of single items, and those `refused` by their condition.
    `write_units` and `read_units` are those of all of it.
    """

    appends: list[int]
    waits: list[float]
    transactions: int
    raised: int
    puts: int
    refused: int
    write_units: int
    read_units: int

    @property
    def tries(self) -> float:
        return self.transactions / sum(self.appends)

    @property
    def turn(self) -> float:
        """Seconds from one append of anybody to the next."""
        return sum(self.waits) / len(self.waits) / len(self.appends)


@dataclass(frozen=True)
class Subject:
    """A kind of stores: their modules, how to open one on a client, and the keys of their tables.

    What a store would do with threads it does by the `map` that it is given.
    """

    modules: tuple[ModuleType, ...]
    open: Callable[[Any, Map], EventStore]
    tables: Tables


def contend(
    subject: Subject,
    writers: int,
    seconds: float,
    events: int = 1,
    seed: int = 1,
    *,
    slowness: float = 1.0,
    write_units: float = UNLIMITED,
    limit: float = LAMBDA_SECONDS,
) -> Outcome:
    """What `writers` achieve in `seconds` of virtual time, with `events` in each request, which may take `limit`."""
    time = VirtualTime()
    dynamodb = SimulatedDynamoDB(time, subject.tables, seed, slowness, write_units)
    appends, waits, raised = [0] * writers, list[float](), list[int]()

    def write(writer: int) -> None:
        store = subject.open(dynamodb, time.map)  # A process of its own: what others remember it does not know.
        while time.now < seconds:
            began, version = time.now, appends[writer] * events
            new = (NewEvent(f"aggregate-{writer}", version + n, "TICK", 1, {}) for n in range(1, events + 1))
            try:
                with time_limit(limit):
                    store.store_events(Append(tuple(new)))
            except OutOfTime:
                raised.append(writer)
                continue
            appends[writer] += 1
            waits.append(time.now - began)

    with virtual_retries(time, seed, *subject.modules):
        time.run(*(partial(write, writer) for writer in range(writers)))
    return Outcome(
        appends,
        sorted(waits),
        dynamodb.transactions,
        len(raised),
        dynamodb.puts,
        dynamodb.refused,
        dynamodb.write_units,
        dynamodb.read_units,
    )

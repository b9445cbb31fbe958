"""Writers that append without a pause, each to an aggregate of its own, all to one simulated log."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lambdas.eventstore.contract import Append
from lambdas.eventstore.events import NewEvent
from lambdas.eventstore.retry import time_limit

from ..store import TransactionsEventStore
from .simulation import SimulatedDynamoDB, VirtualTime, virtual_retries

LAMBDA_SECONDS = 30.0


@dataclass(frozen=True)
class Outcome:
    """`appends` of each writer; `waits`, the seconds that each took, rising; `transactions`, with those that lost."""

    appends: list[int]
    waits: list[float]
    transactions: int

    @property
    def tries(self) -> float:
        return self.transactions / sum(self.appends)

    @property
    def turn(self) -> float:
        """Seconds from one append of anybody to the next."""
        return sum(self.waits) / len(self.waits) / len(self.appends)


def contend(writers: int, seconds: float, events: int = 1, seed: int = 1) -> Outcome:
    """What `writers` achieve in `seconds` of virtual time with `events` in each request."""
    time = VirtualTime()
    dynamodb = SimulatedDynamoDB(time, seed)
    store = TransactionsEventStore(dynamodb, "events", "log")
    appends, waits = [0] * writers, []

    def write(writer: int) -> None:
        while time.now < seconds:
            began, version = time.now, appends[writer] * events
            new = (NewEvent(f"aggregate-{writer}", version + n, "TICK", 1, {}) for n in range(1, events + 1))
            with time_limit(LAMBDA_SECONDS):
                store.store_events(Append(tuple(new)))
            appends[writer] += 1
            waits.append(time.now - began)

    with virtual_retries(time, seed):
        time.run(*(partial(write, writer) for writer in range(writers)))
    return Outcome(appends, sorted(waits), dynamodb.transactions)

"""Writers that append without a pause, each to an aggregate of its own, all to one simulated log."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from lambdas.eventstore.contract import Append
from lambdas.eventstore.events import NewEvent
from lambdas.eventstore.retry import OutOfTime, time_limit

from ..store import TransactionsEventStore
from .simulation import UNLIMITED, SimulatedDynamoDB, VirtualTime, virtual_retries

LAMBDA_SECONDS = 30.0


@dataclass(frozen=True)
class Outcome:
    """`appends` of each writer; `waits`, the seconds that each took, rising; `transactions`, with those that lost.

    `raised` counts the appends that ran out of time.
    """

    appends: list[int]
    waits: list[float]
    transactions: int
    raised: int

    @property
    def tries(self) -> float:
        return self.transactions / sum(self.appends)

    @property
    def turn(self) -> float:
        """Seconds from one append of anybody to the next."""
        return sum(self.waits) / len(self.waits) / len(self.appends)


def contend(
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
    dynamodb = SimulatedDynamoDB(time, seed, slowness, write_units)
    store = TransactionsEventStore(dynamodb, "events", "log")
    appends, waits, raised = [0] * writers, list[float](), list[int]()

    def write(writer: int) -> None:
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

    with virtual_retries(time, seed):
        time.run(*(partial(write, writer) for writer in range(writers)))
    return Outcome(appends, sorted(waits), dynamodb.transactions, len(raised))

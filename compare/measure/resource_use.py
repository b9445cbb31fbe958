"""What carries over from an emulator to AWS: calls, units, bytes. Measured in this process, the same in every run.

Each workload gets a fresh store of the pattern, so none depends on another. The clock and the randomness that stores
see are made up, and so ids, and with them the sizes of compressed data, are the same in each run too.
"""

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any
from unittest.mock import patch

from compare.history.record import Answer
from compare.measure import workloads
from compare.measure.environments import Deployed
from compare.measure.workloads import KB, OPERATIONS, SIZES
from compare.model.costs import Prices, Profile, Usage, Work, total
from lambdas.eventstore import wire
from testkit import capacity
from testkit.aws_calls import Call, Watch, watched
from testkit.byte_counts import BodyBytes, table_bytes
from testkit.harness import Environment, Harness, harness_of

BATCH = 20
"""Events in the batch from which the price of a further event in a batch is worked out."""

_EPOCH = 1_800_000_000.0
_TICK = 0.008
"""Seconds that pass between two looks at the clock: more than an id's resolution of 4 ms."""


@dataclass(frozen=True)
class ResourceUse:
    """Of one piece of work: its calls by name, DynamoDB units, bytes, and what it would be billed as."""

    requests: int
    calls: dict[str, int]
    write_units: float
    read_units: float
    bytes_sent: int
    bytes_received: int
    work: Work

    def figures(self) -> dict[str, Any]:
        """All of it but for the work, which is for the cost model."""
        return {name: value for name, value in vars(self).items() if name != "work"}


@dataclass
class FreshStores:
    """Stores of one pattern in this process, each empty at first, and a watch over their calls."""

    harness: Harness
    watch: Watch
    prices: Prices
    _measured: dict[tuple[str, int], ResourceUse] = field(default_factory=dict)

    @contextmanager
    def store(self) -> Iterator[tuple[Answer, Callable[[], None], Environment]]:
        """A store, what drains its pipeline, and its environment."""
        environment = self.harness.fresh()
        try:
            with _deterministic():
                yield self.cold(environment), partial(self.harness.drain, environment), environment
        finally:
            self.harness.discard(environment)

    def cold(self, environment: Environment) -> Answer:
        """The store as a process has it that has done nothing yet."""
        return partial(wire.answer, self.harness.open(environment))

    def workload(self, name: str, size: int) -> ResourceUse:
        """One of `OPERATIONS`, with events of this size; measured once."""
        if (name, size) not in self._measured:
            self._measured[name, size] = self.measured(OPERATIONS[name].prepare, OPERATIONS[name].step, size)
        return self._measured[name, size]

    def measured(self, prepare: workloads.Step, step: workloads.Step, size: int) -> ResourceUse:
        """What `step` takes in a cold process, on a store that was drained after `prepare`."""
        with self.store() as (store, drain, environment):
            prepare(store, size)
            drain()
            return self._used(partial(step, self.cold(environment), size))

    def pipeline(self, events: int, size: int) -> ResourceUse:
        """What a pattern does to carry so many events, appended one by one, into its log."""
        with self.store() as (store, drain, _):
            for number in range(events):
                workloads.append(store, f"carried {number}", 1, 1, size)
            return self._used(drain)

    def poll(self, size: int) -> ResourceUse:
        """Asking for what is new where there is nothing."""
        with self.store() as (store, drain, _):
            workloads.append(store, "known", 1, 10, size)
            drain()
            end = workloads.read_all(store)[-1]["offset"]
            return self._used(lambda: store("get_all_events", {"after": end}))

    def stored_bytes(self, size: int) -> float:
        """What an event takes in tables and indexes; where there are none, its JSON and an assumed rest."""
        with self.store() as (store, drain, environment):
            for number in range(BATCH):
                workloads.append(store, f"kept {number}", 1, 1, size)
            drain()
            tables = table_bytes(environment)
        row = size - workloads.ROOM + self.prices.assumed("row_overhead_bytes")
        return tables / BATCH if tables else row

    def _used(self, step: Callable[[], object]) -> ResourceUse:
        bodies = BodyBytes(self.harness.counted)
        with self.watch.recording(bodies) as calls:
            step()
        units = capacity.cost(calls)
        billed = [_billed(call, bodies.sent[call.number], bodies.received[call.number]) for call in calls]
        usage = total({"dynamodb_write_units": units.write_units, "dynamodb_read_units": units.read_units}, *billed)
        return ResourceUse(
            requests=len(calls),
            calls=dict(sorted(Counter(f"{call.service}:{call.operation}" for call in calls).items())),
            write_units=units.write_units,
            read_units=units.read_units,
            bytes_sent=bodies.sent.total(),
            bytes_received=bodies.received.total(),
            work=Work(
                {name: amount for name, amount in usage.items() if amount},
                milliseconds=sum(self.prices.assumed(_milliseconds(call)) for call in calls),
                requests=float(sum(call.service == "rds-data" for call in calls)),
            ),
        )


@contextmanager
def fresh_stores(deployed: Deployed, prices: Prices) -> Iterator[FreshStores]:
    with watched() as watch:
        yield FreshStores(harness_of(deployed.pattern.name)(deployed.pattern.name, deployed.environment), watch, prices)


def operations(stores: FreshStores) -> dict[str, dict[str, ResourceUse]]:
    """Each operation, by the size of its events; and the way of one event into the log, and of many."""
    return {
        str(size): {
            **{name: stores.workload(name, size) for name in OPERATIONS},
            **{f"log_{events}": stores.pipeline(events, size) for events in (1, BATCH)},
        }
        for size in SIZES
    }


def profile(stores: FreshStores, size: int) -> Profile:
    one, many = stores.pipeline(1, size).work, stores.pipeline(BATCH, size).work
    return Profile(
        append=stores.workload("append_1", size).work,
        read_aggregate=stores.workload("read_aggregate", size).work,
        poll=stores.poll(size).work,
        catch_up=stores.measured(_append_batch, workloads.reading_all(1000, BATCH), size).work.times(1 / BATCH),
        pipeline_one=one,
        pipeline_more=many.plus(one.times(-1.0)).times(1 / (BATCH - 1)),
        stored_bytes=stores.stored_bytes(size),
    )


def _append_batch(store: Answer, size: int) -> None:
    for first in range(1, BATCH + 1, 10):
        workloads.append(store, "some", first, 10, size)


@contextmanager
def _deterministic() -> Iterator[None]:
    """A clock that moves by the look, and seeded `secrets`. Not UUIDs: the SDK makes its request tokens of those."""
    ticks, seeded = count(), random.Random("compare")
    with patch("time.time", lambda: _EPOCH + next(ticks) * _TICK), patch("random._urandom", seeded.randbytes):
        yield


def _billed(call: Call, sent: int, received: int) -> Usage:
    """What is billed by the request. Calls that are free, or billed by units, are nothing here."""
    match call.service, call.operation:
        case "sqs", _:
            kind = "fifo" if call.parameters.get("QueueUrl", "").endswith(".fifo") else "standard"
            return {f"sqs_{kind}_requests": max(1.0, math.ceil(sent / (64 * KB)))}
        case "rds-data", _:
            return {"data_api_requests": max(1.0, math.ceil(max(sent, received) / (32 * KB)))}
        case "kms", "Sign":
            return {"kms_asymmetric_requests": 1.0}
        case "s3", operation:
            return {"s3_writes" if operation.startswith(("Put", "List", "Copy")) else "s3_reads": 1.0}
    return {}


def _milliseconds(call: Call) -> str:
    """What is assumed of how long the call takes."""
    if call.service == "dynamodb" and call.operation.startswith("Transact"):
        return "dynamodb_transaction_ms"
    known = {"dynamodb": "dynamodb_ms", "sqs": "sqs_ms", "rds-data": "data_api_ms", "kms": "kms_ms", "s3": "s3_ms"}
    return known.get(call.service, "other_ms")

"""What carries over from an emulator to AWS: calls, units, bytes. Measured in this process, the same in every run.

Each workload gets a fresh store of the pattern, so none depends on another. The clock and the randomness that stores
see are made up, and so ids, and with them the sizes of compressed data, are the same in each run too.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from unittest.mock import patch

import boto3

from compare import workloads
from compare.costs import Prices, Profile, Work
from compare.history import Answer
from compare.meter import Measured, Scales, measure
from compare.stage import Deployed
from compare.workloads import CURVE_SIZES, OPERATIONS, SIZES
from lambdas.eventstore import wire
from testkit import capacity
from testkit.aws_calls import Watch, watched
from testkit.harness import Environment, Harness, harness_of

BATCH = 20
"""Events in the batch from which the price of a further event in a batch is worked out."""

INDEX_ENTRY_BYTES = 100
"""What DynamoDB bills for each item, and again for each index entry (developerguide/CapacityUnitCalculations.html)."""

_EPOCH = 1_800_000_000.0
_TICK = 0.008
"""Seconds that pass between two looks at the clock: more than an id's resolution of 4 ms."""


@dataclass
class Bench:
    """Fresh stores of one pattern in this process, and a watch over their calls."""

    harness: Harness
    watch: Watch
    prices: Prices
    _measured: dict[tuple[str, int], Measured] = field(default_factory=dict)

    def measured(self, prepare: Callable[[Answer], None], step: Callable[[Answer], None]) -> Measured:
        """What `step` takes on a store that has come to rest after `prepare`."""
        with self.store() as (store, drain, _):
            prepare(store)
            drain()
            return self._recorded(lambda: step(store))

    def workload(self, name: str, size: int) -> Measured:
        """One of `OPERATIONS`, with events of this size; measured once."""
        if (name, size) not in self._measured:
            workload = OPERATIONS[name]
            self._measured[name, size] = self.measured(
                lambda store: workload.prepare(store, size), lambda store: workload.step(store, size)
            )
        return self._measured[name, size]

    def way_into_the_log(self, events: int, size: int) -> Measured:
        """What a pattern does to carry so many events, appended one by one, into its log."""
        with self.store() as (store, drain, _):
            for number in range(events):
                workloads.append(store, f"carried {number}", 1, 1, size)
            return self._recorded(drain)

    def poll(self, size: int) -> Measured:
        """Asking for what is new where there is nothing."""
        with self.store() as (store, drain, _):
            workloads.append(store, "known", 1, 10, size)
            drain()
            end = workloads.read_all(store)[-1]["offset"]
            return self._recorded(lambda: store("get_all_events", {"after": end}))

    def stored_bytes(self, size: int) -> float:
        """What an event takes in tables and indexes; where there are none, its JSON and an assumed rest."""
        with self.store() as (store, drain, environment):
            for number in range(BATCH):
                workloads.append(store, f"kept {number}", 1, 1, size)
            drain()
            tables = _table_bytes(environment)
        row = size - workloads.ROOM + self.prices.assumed("row_overhead_bytes")
        return tables / BATCH if tables else row

    def _recorded(self, step: Callable[[], object]) -> Measured:
        scales = Scales(self.harness.counted)
        with self.watch.recording(scales) as calls:
            step()
        return measure(calls, scales, self.prices)

    @contextmanager
    def store(self) -> Iterator[tuple[Answer, Callable[[], None], Environment]]:
        """A fresh store, what lets it come to rest, and its environment."""
        environment = self.harness.fresh()
        try:
            with made_up():
                store = self.harness.open(environment)
                yield (
                    lambda operation, request: wire.answer(store, operation, request),
                    lambda: self.harness.drain(environment),
                    environment,
                )
        finally:
            self.harness.discard(environment)


@contextmanager
def bench(deployed: Deployed, prices: Prices) -> Iterator[Bench]:
    with watched() as watch:
        harness = harness_of(deployed.pattern.name)(deployed.pattern.name, deployed.environment)
        yield Bench(harness, watch, prices)


def operations(on: Bench) -> dict[str, dict[str, Measured]]:
    """Each operation, by the size of its events; and the way of one event into the log, and of many."""
    return {str(size): _operations(on, size) for size in SIZES}


def _operations(on: Bench, size: int) -> dict[str, Measured]:
    measured = {name: on.workload(name, size) for name in OPERATIONS}
    return {**measured, "log_1": on.way_into_the_log(1, size), f"log_{BATCH}": on.way_into_the_log(BATCH, size)}


def profiles(on: Bench) -> dict[int, Profile]:
    """What the cost model needs, by the size of the events."""
    return {size: profile(on, size) for size in CURVE_SIZES}


def profile(on: Bench, size: int) -> Profile:
    one, many = on.way_into_the_log(1, size).work, on.way_into_the_log(BATCH, size).work
    more = _scaled(many.plus(one, -1.0), 1 / (BATCH - 1))
    reading = on.measured(lambda store: _some(store, size), _read_some).work
    return Profile(
        append=on.workload("append_1", size).work,
        read_aggregate=on.workload("read_aggregate", size).work,
        poll=on.poll(size).work,
        catch_up=_scaled(reading, 1 / BATCH),
        pipeline_one=one,
        pipeline_more=more,
        stored_bytes=on.stored_bytes(size),
    )


def _some(store: Answer, size: int) -> None:
    for first in range(1, BATCH + 1, 10):
        workloads.append(store, "some", first, 10, size)


def _read_some(store: Answer) -> None:
    assert len(workloads.read_all(store)) == BATCH


def _scaled(work: Work, factor: float) -> Work:
    return Work({}, 0.0).plus(work, factor)


def _table_bytes(environment: Environment) -> int:
    """Of all items of a store's tables and index entries."""
    client: Any = boto3.client("dynamodb")
    tables = set(client.list_tables()["TableNames"])
    total = 0
    for table in {value for value in environment.values() if value in tables}:
        description = client.describe_table(TableName=table)["Table"]
        indexes = [key["KeySchema"] for key in description.get("GlobalSecondaryIndexes", [])]
        for page in client.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                entries = 1 + sum(all(key["AttributeName"] in item for key in index) for index in indexes)
                total += entries * (capacity.item_bytes(item) + INDEX_ENTRY_BYTES)
    return total


@contextmanager
def made_up() -> Iterator[None]:
    """A clock that moves by the look, and seeded `secrets`. Not UUIDs: the SDK makes its request tokens of those."""
    ticks, seeded = count(), random.Random("compare")
    with (
        patch("time.time", lambda: _EPOCH + next(ticks) * _TICK),
        patch("random._urandom", seeded.randbytes),
    ):
        yield


def as_json(measured: dict[str, dict[str, Measured]]) -> dict[str, Any]:
    return {
        size: {
            name: {
                "requests": each.requests,
                "calls": each.calls,
                "write_units": each.write_units,
                "read_units": each.read_units,
                "bytes_sent": each.bytes_sent,
                "bytes_received": each.bytes_received,
            }
            for name, each in operations.items()
        }
        for size, operations in measured.items()
    }

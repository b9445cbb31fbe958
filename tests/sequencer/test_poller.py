"""What Lambda's stream poller makes of the single writer's answers, in a model of it with a clock of its own.

By dg/services-ddb-errors and services-ddb-batchfailurereporting, read 2026-11: each shard is read in order, a batch
that raises is halved and tried again, and what is reported is tried again from the first such record on. One invocation
runs at a time, and each AWS call takes it 10 ms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from zlib import crc32

import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore import retry
from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing.sequencer import Sequencer
from patterns.single_writer.sequencer import sequence
from tests.sequencer.model import Call
from tests.sequencer.world import Clock, ModelQueue, ModelWorld

SHARDS = 4
BATCH = 100
SECONDS = 60.0
"""Of an invocation."""

CALL_SECONDS = 0.01
HEALTHY = [(n / 20, f"aggregate {n % 40}", n // 40 + 1) for n in range(20 * 120)]
"""20 events a second for two minutes, by second, aggregate and version."""

Arrival = tuple[float, str, int]


class Poller:
    def __init__(self, world: ModelWorld, clock: Clock, arrivals: Sequence[Arrival]) -> None:
        self.queue = ModelQueue()
        self.longest_wait = 0.0
        self._world, self._clock = world, clock
        self._arrivals = deque(sorted(arrivals))
        self._shards: list[deque[Arrival]] = [deque() for _ in range(SHARDS)]
        self._batches: list[deque[list[Arrival]]] = [deque() for _ in range(SHARDS)]
        self._sequencer = Sequencer(world.open_events(), world.open_log())
        world.around = self._takes_time

    def run(self) -> None:
        """Until all records are done with."""
        while self._arrivals or any(self._shards) or any(self._batches):
            self._arrive()
            for shard, batches in zip(self._shards, self._batches, strict=True):
                if shard and not batches:
                    batches.append([shard.popleft() for _ in range(min(BATCH, len(shard)))])
                if batches:
                    self._invoke(batches)
            self._clock.sleep(CALL_SECONDS)
            assert self._clock.monotonic() < 1000, "records are tried again and again"

    def _arrive(self) -> None:
        while self._arrivals and self._arrivals[0][0] <= self._clock.monotonic():
            arrival = self._arrivals.popleft()
            self._world.store(arrival[1:])
            self._shards[crc32(arrival[1].encode()) % SHARDS].append(arrival)

    def _invoke(self, batches: deque[list[Arrival]]) -> None:
        batch = batches.popleft()
        records = [_record(n, aggregate, version) for n, (_, aggregate, version) in enumerate(batch)]
        try:
            with time_limit(SECONDS):
                answer = sequence(self._sequencer, self.queue.open().set_aside, {"Records": records})
        except Exception:
            half = len(batch) // 2
            batches.extendleft([part for part in (batch[half:], batch[:half]) if part])
            return
        failed = [int(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]
        done = min(failed, default=len(batch))
        self.longest_wait = max([self.longest_wait, *(self._clock.monotonic() - at for at, *_ in batch[:done])])
        if batch[done:]:
            batches.appendleft(batch[done:])

    def _takes_time(self, operation: str, call: Call) -> Any:
        self._clock.sleep(CALL_SECONDS)
        return call()


def _record(number: int, aggregate: str, version: int) -> dict[str, Any]:
    keys = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": str(version)}}
    return {"dynamodb": {"Keys": keys, "SequenceNumber": str(number)}}


@contextmanager
def simulated() -> Iterator[Clock]:
    with patch.object(retry, "time", Clock()) as clock:
        yield clock


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0, 5.0])
@pytest.mark.parametrize("first", ["not an event", "absent"])
def test_steady_traffic_on_an_aggregate_that_is_held_up_holds_up_no_other(first: str, rate: float) -> None:
    world = ModelWorld()
    if first == "not an event":
        world.store(("eve", 1), eventType={"NULL": True})
    poisoned = [(n / rate, "eve", n + 2) for n in range(int(rate * 120))]
    with simulated() as clock:
        poller = Poller(world, clock, [*HEALTHY, *poisoned])
        poller.run()

    assert poller.longest_wait < 10
    assert len(world.logged()) == len(HEALTHY)
    assert bool(poller.queue.bodies) is bool(poisoned)
    world.assert_sound()


def test_an_outage_of_hours_is_caught_up_with_and_nothing_is_given_up() -> None:
    """As long as the stream keeps records. An invocation that fails takes its AWS calls' patience, here 25 s."""
    world = ModelWorld()
    arrivals = [(n / 20, f"aggregate {n % 40}", n // 40 + 1) for n in range(400)]
    with simulated() as clock:
        poller = Poller(world, clock, arrivals)
        up = world.around

        def down(operation: str, call: Call) -> Any:
            if clock.monotonic() < 900:
                clock.sleep(25)
                raise ClientError({"Error": {"Code": "ServiceUnavailable", "Message": ""}}, operation)
            return up(operation, call)

        world.around = down
        poller.run()

    assert not poller.queue.bodies
    world.assert_complete()


def test_what_there_is_no_time_for_is_reported_from_the_first_record_on_and_done_later() -> None:
    world = ModelWorld()
    world.store(*(("ann", n) for n in range(1, 3001)), ("bob", 1))
    records = [_record(1, "bob", 1), _record(2, "ann", 2000), _record(3, "bob", 1), _record(4, "ann", 3000)]
    queue = ModelQueue()
    with simulated() as clock:

        def slow(operation: str, call: Call) -> Any:
            clock.sleep(0.05)
            return call()

        world.around = slow
        for _invocation in range(10):
            began = clock.monotonic()
            with time_limit(5.0):
                answer = sequence(
                    Sequencer(world.open_events(), world.open_log()), queue.open().set_aside, {"Records": records}
                )
            assert clock.monotonic() - began < 5
            if not answer["batchItemFailures"]:
                break
            assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
            world.assert_sound()

    world.assert_complete()
    assert not queue.bodies

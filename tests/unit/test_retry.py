"""How long a store goes on trying: as its caller says, or else for the default, by operation and not by process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore import Append, EventStore, NewEvent, aws, retry, wire
from lambdas.eventstore.retry import DEFAULT_SECONDS, LONGEST_PAUSE, MARGIN, OutOfTime, Retries, time_limit
from testkit.examples import event
from tools.discovery import patterns

HOUR = 3600.0
ENVIRONMENT = {
    "TABLE": "events",
    "LOG_TABLE": "log",
    "PENDING_TABLE": "pending",
    "SHARDS": "1",
    "CLUSTER_ARN": "cluster",
    "SECRET_ARN": "secret",
    "DATABASE": "database",
}
ONE = Append((NewEvent("a", 1, "TYPE", 1, {}),))


class Clock:
    """Time that only passes in pauses, in writes, and where a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock()
    with patch.object(retry, "time", clock):
        yield clock


class Contended:
    """A client whose writes meet contention as often as is said, and then succeed. `attempts` lead to the first one."""

    def __init__(self, clock: Clock) -> None:
        self.refusals = 0.0
        self.attempts = 0
        self._succeeded = False
        self._clock = clock

    def _write(self, code: str) -> Callable[..., dict[str, Any]]:
        def write(**_: Any) -> dict[str, Any]:
            self.attempts += not self._succeeded
            self._clock.sleep(0.02)
            if self.refusals > 0:
                self.refusals -= 1
                reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
                raise ClientError({"Error": {"Code": code}, "CancellationReasons": reasons}, "Write")  # type: ignore[typeddict-item]
            self._succeeded = True
            return {"records": [[{"stringValue": "id"}, {"stringValue": "1-1"}, {"longValue": 1}]]}

        return write

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        codes = {
            "put_item": "TransactionConflictException",
            "transact_write_items": "TransactionCanceledException",
            "execute_statement": "DatabaseResumingException",
        }
        return self._write(codes[operation]) if operation in codes else lambda **_: {"Items": []}


@pytest.fixture
def client(clock: Clock) -> Contended:
    return Contended(clock)


@pytest.fixture(params=[pattern.name for pattern in patterns()])
def store(request: pytest.FixtureRequest, client: Contended) -> EventStore:
    with patch.object(aws, "client", lambda service, config=None: client):
        made: EventStore = import_module(f"patterns.{request.param}.store").from_environment(ENVIRONMENT)
    return made


def test_a_store_used_directly_tries_again_at_contention(store: EventStore, client: Contended, clock: Clock) -> None:
    client.refusals = 3

    assert len(store.store_events(ONE)) == 1
    assert client.attempts == 4


def test_a_store_used_directly_gives_up_after_the_default(store: EventStore, client: Contended, clock: Clock) -> None:
    client.refusals = float("inf")
    began = clock.now

    with pytest.raises(OutOfTime):
        store.store_events(ONE)

    assert DEFAULT_SECONDS - MARGIN - LONGEST_PAUSE <= clock.now - began <= DEFAULT_SECONDS + 0.02


def test_each_operation_has_a_default_of_its_own(store: EventStore, client: Contended, clock: Clock) -> None:
    for _ in range(3):
        client.refusals = float("inf")
        with pytest.raises(OutOfTime):
            store.store_events(ONE)
        client.refusals = 3
        assert store.store_events(ONE)
        clock.sleep(HOUR)


def test_a_caller_s_limit_goes_before_the_default(store: EventStore, client: Contended, clock: Clock) -> None:
    client.refusals = float("inf")
    began = clock.now

    with time_limit(60), pytest.raises(OutOfTime):
        store.store_events(ONE)

    assert 60 - MARGIN - LONGEST_PAUSE <= clock.now - began <= 60


def test_the_limit_is_over_with_its_block(clock: Clock) -> None:
    with time_limit(1):
        clock.sleep(HOUR)
    Retries().pause("nothing limits this")


def test_the_wire_tries_for_the_default_too(store: EventStore, client: Contended, clock: Clock) -> None:
    client.refusals = float("inf")
    began = clock.now

    with pytest.raises(OutOfTime):
        wire.answer(store, "store_events", {"events": [event("a", 1)]})

    assert DEFAULT_SECONDS - MARGIN - LONGEST_PAUSE <= clock.now - began <= DEFAULT_SECONDS + 0.02


def test_work_before_the_first_pause_takes_nothing_from_the_default(clock: Clock) -> None:
    retries = Retries()
    clock.sleep(HOUR)
    retries.pause("the first attempt took an hour")


def test_pauses_grow_at_random_up_to_the_longest(clock: Clock) -> None:
    windows: list[float] = []

    def uniform(low: float, high: float) -> float:
        windows.append(high)
        return low

    with patch.object(retry, "random", SimpleNamespace(uniform=uniform)):
        retries = Retries()
        for _ in range(8):
            retries.pause("contention")
        retries.pause("contention", window=7)

    assert windows == [0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0, 1.0, 7]


def test_giving_up_tells_why_and_after_how_many_attempts(clock: Clock) -> None:
    retries = Retries()
    for _ in range(2):
        retries.pause("all was busy")
    with time_limit(MARGIN), pytest.raises(OutOfTime, match="gave up after 3 attempts: all was busy"):
        retries.pause("all was busy")

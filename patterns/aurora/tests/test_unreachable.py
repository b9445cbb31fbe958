"""A database that sleeps, fails over or drops connections: waited for while there is time; nothing is stored twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore import wire
from lambdas.eventstore.retry import OutOfTime
from testkit import faults
from testkit.aws_calls import Call
from testkit.examples import Event, event, new_id, versions
from testkit.faults import Fault
from testkit.harness import eventually
from testkit.schedules import Scene

from .harness import Harness, append

PASSING = [
    ("DatabaseResumingException", 400, "resuming after being auto-paused"),
    ("DatabaseUnavailableException", 504, "no writer"),
    ("DatabaseErrorException", 400, "ERROR: deadlock detected; SQLState: 40P01"),
    ("DatabaseErrorException", 400, "ERROR: could not serialize access; SQLState: 40001"),
    ("DatabaseErrorException", 400, "FATAL: terminating connection; SQLState: 57P01"),
    ("DatabaseErrorException", 400, "ERROR: connection failure; SQLState: 08006"),
]
LASTING = [
    ("DatabaseErrorException", 400, 'ERROR: relation "events" does not exist; Position: 15; SQLState: 42P01'),
    ("DatabaseErrorException", 400, "ERROR: disk full; SQLState: 53100"),
    ("BadRequestException", 400, "Database returned more than the allowed response size limit"),
    ("StatementTimeoutException", 400, "Request timed out"),
    ("SecretsErrorException", 400, "no such secret"),
]


class Answered(Fault):
    """The first `times` calls are answered with this error, and not sent."""

    def __init__(self, code: str, status: int, message: str, times: int = 1) -> None:
        super().__init__(0)
        self._error, self._times = (code, status, message), times

    def before_sending(self, call: Call, request: Any, send: Any) -> Any:
        code, status, message = self._error
        return faults.error_answer(request, code, status, message=message) if call.number < self._times else None


@pytest.mark.parametrize(("code", "status", "message"), PASSING)
@pytest.mark.parametrize("times", [1, 3])
def test_what_passes_is_waited_for(scene: Scene, code: str, status: int, message: str, times: int) -> None:
    aggregate = new_id()
    with scene.watch.recording(Answered(code, status, message, times)) as calls:
        scene.open().store(event(aggregate, 1))

    assert len(calls) == times + 1
    reads: list[Callable[[], list[Event]]] = [lambda: scene.open().aggregate(aggregate), scene.log]
    for read in reads:
        with scene.watch.recording(Answered(code, status, message, times)):
            assert versions(read()) == [1]


@pytest.mark.parametrize(("code", "status", "message"), LASTING)
def test_what_does_not_pass_is_raised_at_once(scene: Scene, code: str, status: int, message: str) -> None:
    with scene.watch.recording(Answered(code, status, message, 100)) as calls, pytest.raises(ClientError, match=code):
        scene.open().store(event(new_id(), 1))

    assert len(calls) == 1


def test_what_does_not_pass_in_time_is_raised_and_says_what_to_do(scene: Scene) -> None:
    store, request = scene.open().store_object, {"events": [event(new_id(), 1)]}
    began = time.monotonic()
    with (
        scene.watch.recording(Answered(*PASSING[0], times=1000)),
        pytest.raises(OutOfTime, match="only a retry with the same requestId tells"),
    ):
        wire.answer(store, "store_events", request, seconds=2)

    assert time.monotonic() - began < 2.5


def test_a_paused_cluster_is_woken_up_and_waited_for(scene: Scene, pause_cluster: Callable[[float], None]) -> None:
    aggregate = new_id()
    pause_cluster(2)
    with scene.watch.recording() as calls:
        scene.open().store(event(aggregate, 1))
    assert len(calls) > 1

    pause_cluster(2)
    assert versions(scene.open().aggregate(aggregate)) == [1]
    pause_cluster(2)
    assert versions(scene.open().tail(None)[0]) == [1]


def test_an_append_whose_connection_is_ended_is_sent_again(own: Harness, scene: Scene) -> None:
    """As a failover or a restart ends it, while the append waits for another transaction."""
    aggregate, answers = new_id(), list[dict[str, Any]]()
    held = own.open_transaction(scene.environment)
    append(held.store(scene.environment), event(aggregate, 1))
    store = scene.open()
    writer = threading.Thread(target=lambda: answers.append(store.try_to_store(event(aggregate, 1, by="writer"))))
    waiting = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with scene.watch.recording() as calls:
        writer.start()
        eventually(lambda: own.rows(scene.environment, f"SELECT count(*) {waiting}") == [[1]], 10, "the writer to wait")
        own.rows(scene.environment, f"SELECT pg_terminate_backend(pid) {waiting}")
        eventually(lambda: sum(call.attempts for call in calls) > 1, 10, "another attempt")
        held.roll_back()
        writer.join(20)

    assert versions(answers[0]["events"]) == [1]
    assert versions(scene.open().aggregate(aggregate)) == [1]

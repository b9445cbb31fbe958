"""A database that sleeps, fails over or drops connections: waited for while there is time; nothing is stored twice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore import wire
from lambdas.eventstore.retry import OutOfTime, time_limit
from testkit import faults
from testkit.aws_calls import Call
from testkit.examples import Event, event, new_id, numbers, versions
from testkit.faults import Fault
from testkit.harness import Environment, eventually
from testkit.schedules import Scene

from .. import store
from ..data_api import Database
from .harness import Harness, append

HELD_SECONDS = 45
"""For which the service holds a statement."""

PASSING = [
    ("DatabaseResumingException", 400, "resuming after being auto-paused"),
    ("DatabaseUnavailableException", 504, "no writer"),
    ("DatabaseErrorException", 400, "ERROR: deadlock detected; SQLState: 40P01"),
    ("DatabaseErrorException", 400, "ERROR: could not serialize access; SQLState: 40001"),
    ("DatabaseErrorException", 400, "FATAL: terminating connection; SQLState: 57P01"),
    ("DatabaseErrorException", 400, "ERROR: connection failure; SQLState: 08006"),
    # A failover: the writer that was is read-only, or is not known yet.
    ("DatabaseErrorException", 400, "ERROR: cannot execute INSERT in a read-only transaction; SQLState: 25006"),
    ("InvalidResourceStateException", 400, "the cluster is being modified"),
    # A rotation: the secret was read before its password was changed.
    ("DatabaseErrorException", 400, 'FATAL: password authentication failed for user "events"; SQLState: 28P01'),
    ("SecretsErrorException", 400, "RDS Data API timed out retrieving the secret"),
    # An overload.
    ("DatabaseErrorException", 400, "FATAL: remaining connection slots are reserved; SQLState: 53300"),
    ("DatabaseErrorException", 400, "ERROR: out of memory; SQLState: 53200"),
    ("StatementTimeoutException", 400, "Request timed out"),
    ("ThrottlingException", 400, "Rate exceeded"),
    ("ServiceUnavailableError", 503, "the service is not available"),
    ("InternalServerErrorException", 500, ""),
]
LASTING = [
    ("DatabaseErrorException", 400, 'ERROR: relation "events" does not exist; Position: 15; SQLState: 42P01'),
    ("DatabaseErrorException", 400, "ERROR: disk full; SQLState: 53100"),
    ("BadRequestException", 400, "Database returned more than the allowed response size limit"),
    ("SecretsErrorException", 400, "no such secret"),
    ("SecretsErrorException", 400, "the secret could not be decrypted"),
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


@pytest.mark.parametrize("lost", [faults.Unreachable, faults.AnswerLost], ids=lambda fault: fault.__name__)
def test_a_connection_that_cannot_be_made_or_breaks_is_made_anew(scene: Scene, lost: type[Fault]) -> None:
    aggregate = new_id()
    with scene.watch.recording(lost(0)) as calls:
        [stored] = scene.open().store(event(aggregate, 1, n=numbers()))

    assert len(calls) == 2
    assert [event["eventId"] for event in scene.open().aggregate(aggregate)] == [stored["eventId"]]


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


def test_what_did_not_pass_in_time_is_told(scene: Scene) -> None:
    store = scene.open().store_object
    for code, status, message in PASSING:
        with (
            scene.watch.recording(Answered(code, status, message, times=1000)),
            pytest.raises(OutOfTime, match=code),
        ):
            wire.answer(store, "get_all_events", {}, seconds=2.5)


@contextmanager
def silent_service() -> Iterator[str]:
    """Takes connections and answers nothing: its URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("seconds", [0.3, 2, 4.4])
def test_a_silent_service_ends_in_an_exception_while_the_invocation_lives(
    cluster: Environment, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    with silent_service() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS_DATA", url)
        opened = store.from_environment(cluster)
        began = time.monotonic()
        with pytest.raises(OutOfTime, match="only a retry with the same requestId tells"):
            wire.answer(opened, "store_events", {"events": [event(new_id(), 1)]}, seconds=seconds)
        assert time.monotonic() - began < seconds


def test_an_attempt_waits_longer_than_the_service_holds_a_statement_and_never_longer_than_the_invocation() -> None:
    asked: list[float] = []

    def client(read_seconds: float) -> Any:
        asked.append(read_seconds)
        return Mock(execute_statement=Mock(return_value={}))

    database = Database(client, "cluster", "secret", "database")
    for seconds in (60, 30, 5.7):
        with time_limit(seconds):
            database.execute("SELECT 1")

    assert asked[0] > HELD_SECONDS
    assert asked[1:] == [28.75, 4.5]


def test_clients_at_a_held_row_leave_no_more_statements_than_callers(
    own: Harness, scene: Scene, cluster: Environment
) -> None:
    """The service cannot end a statement: a caller who gave up and asked again would have two of them."""
    aggregate, callers = new_id(), 5
    held = own.open_transaction(scene.environment)
    append(held.store(scene.environment), event(aggregate, 1))
    opened = [scene.open() for _ in range(callers)]
    waiters = [threading.Thread(target=lambda s=s: s.try_to_store(event(aggregate, 1))) for s in opened]
    for waiter in waiters:
        waiter.start()
    statements = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    eventually(lambda: own.rows(scene.environment, statements) == [[callers]], 10, "the callers to wait")
    time.sleep(6.5)  # more than what an attempt waited for once

    assert own.rows(scene.environment, statements) == [[callers]]
    held.roll_back()
    for waiter in waiters:
        waiter.join(20)


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

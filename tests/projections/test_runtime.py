"""The Lambda of a projection: what wakes it, what it answers, and what its metrics and log tell."""

import json
import time
from typing import Any

import pytest
from aws_lambda_powertools import Metrics

from lambdas.eventstore import LogPage
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.projections import ReadModel, Runner, runtime
from testkit.aws_calls import Call, Disturbance, Watch, answer
from testkit.faults import error_answer
from testkit.projections import Tally, all_events, assert_tallied
from tests.projections.test_runner import LateStore, Picky, store_events


class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = ""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def metrics(printed: str) -> dict[str, float]:
    [line] = [line for line in map(json.loads, printed.splitlines()) if "_aws" in line]
    assert line["projection"] == "tally"
    return {name: value[0] for name, value in line.items() if isinstance(value, list)}


@pytest.fixture(autouse=True)
def _seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "WAKE_SECONDS", 0.4)


@pytest.fixture(autouse=True)
def _metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_metrics", Metrics(namespace="EventStore", service="of this test"))


@pytest.mark.parametrize("event", [{}, {"source": "aws.events"}, {"Records": []}, None])
def test_whatever_wakes_it_it_catches_up_and_says_how_far_it_was_behind(
    model: ReadModel, event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    store = MemoryEventStore()
    store_events(store, "josh", 3)
    told = runtime.handler(Runner(store, model, Tally()))(event, Context())
    assert told.pop("lagSeconds") >= 0
    assert told == {
        "projection": "tally",
        "status": "running",
        "applied": 3,
        "caughtUp": True,
        "lagEvents": 3,
        "stop": None,
    }
    counted = metrics(capsys.readouterr().out)
    assert (counted["EventsProjected"], counted["ProjectionLagEvents"], counted["ProjectionsStopped"]) == (3, 3, 0)
    assert counted["ProjectionLag"] >= 0
    assert_tallied(model, all_events(store))


def test_a_stop_shows_until_a_command_goes_past_it(model: ReadModel, capsys: pytest.CaptureFixture[str]) -> None:
    store = MemoryEventStore()
    store_events(store, "josh", 3)
    handle = runtime.handler(Runner(store, model, Picky()))
    for command in ({}, {}, {"command": "resume"}):
        stopped = handle(command, Context())
        assert (stopped["status"], stopped["stop"]["aggregateVersion"]) == ("stopped", 2)
        told = capsys.readouterr().out
        assert metrics(told)["ProjectionsStopped"] == 1
        assert "amount" not in told, "the reason may quote the event"
    assert handle({"command": "skip"}, Context())["caughtUp"]
    assert metrics(capsys.readouterr().out)["ProjectionsStopped"] == 0


def test_it_waits_for_an_event_that_is_stored_and_does_not_show_yet(model: ReadModel) -> None:
    class Slow(LateStore):
        looks = 0

        def get_all_events(self, after: str | None, limit: int) -> LogPage:
            self.looks += 1
            if self.looks == 3:
                self.hidden = set()
            return super().get_all_events(after, limit)

    store = Slow()
    store_events(store, "ann", 1)
    [awaited] = store_events(store, "josh", 1)
    store.hidden = {awaited.event_id}
    assert runtime.answer(Runner(store, model, Tally()), {"until": awaited.event_id})["applied"] == 2


def test_it_does_not_wait_for_an_event_that_another_runner_has_applied_but_for_those_that_follow(
    model: ReadModel,
) -> None:
    class Looked(MemoryEventStore):
        looks = 0

        def get_all_events(self, after: str | None, limit: int) -> LogPage:
            self.looks += 1
            if self.looks == 3:
                store_events(self, "josh", 1, first=2)
            return super().get_all_events(after, limit)

    store = Looked()
    [event] = store_events(store, "josh", 1)
    Runner(store, model, Tally()).run()
    began = time.monotonic()
    assert runtime.answer(Runner(store, model, Tally()), {"until": event.event_id})["applied"] == 1
    assert 0.4 <= time.monotonic() - began < 2


def test_functions_are_woken_once_in_a_while_and_one_that_cannot_be_is_no_failure(watch: Watch) -> None:
    class Lambda(Disturbance):
        def before_sending(self, call: Call, request: Any, send: Any) -> Any:
            woken.append((call.parameters["FunctionName"], json.loads(call.parameters["Payload"])["until"]))
            if call.parameters["FunctionName"] == "gone":
                return error_answer(request, "ResourceNotFoundException", 404)
            return answer(request, 202, {}, b"")

    woken: list[tuple[str, str]] = []
    runtime._lambda.cache_clear()
    waker = runtime.Waker(["gone", "there"])
    with watch.recording(Lambda()):
        waker.wake("one")
        waker.wake("two")
        time.sleep(0.5)
        waker.wake("three")
    assert woken == [("gone", "one"), ("there", "one"), ("gone", "three"), ("there", "three")]


def test_it_waits_no_longer_than_it_says(model: ReadModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "UNTIL_SECONDS", 0.3)
    assert runtime.answer(Runner(MemoryEventStore(), model, Tally()), {"until": "z"})["caughtUp"]


def test_another_version_shows_as_stopped(model: ReadModel, capsys: pytest.CaptureFixture[str]) -> None:
    class Newer(Tally):
        version = 2

    store = MemoryEventStore()
    store_events(store, "josh", 1)
    Runner(store, model, Tally()).run()
    assert runtime.handler(Runner(store, model, Newer()))({}, Context())["status"] == "outdated"
    assert metrics(capsys.readouterr().out)["ProjectionsStopped"] == 1

"""The Lambda of a projection: what wakes it, what it answers, and what its metrics and log tell."""

import json
from typing import Any

import pytest
from aws_lambda_powertools import Metrics

from lambdas.eventstore import LogPage
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.projections import ReadModel, Runner, runtime
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
def _metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_metrics", Metrics(namespace="EventStore", service="of this test"))


@pytest.mark.parametrize("event", [{}, {"source": "aws.events"}, {"Records": []}, None])
def test_whatever_wakes_it_it_catches_up_and_says_how_far_it_was_behind(
    model: ReadModel, event: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    store = MemoryEventStore()
    store_events(store, "josh", 3)
    answer = runtime.handler(Runner(store, model, Tally()))(event, Context())
    assert answer.pop("lagSeconds") >= 0
    assert answer == {
        "projection": "tally",
        "status": "running",
        "applied": 3,
        "caughtUp": True,
        "lagEvents": 3,
        "stop": None,
    }
    told = metrics(capsys.readouterr().out)
    assert (told["EventsProjected"], told["ProjectionLagEvents"], told["ProjectionsStopped"]) == (3, 3, 0)
    assert told["ProjectionLag"] >= 0
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
    answer = runtime.answer(Runner(store, model, Tally()), {"until": awaited.event_id})
    assert (answer["applied"], store.looks) == (2, 3)


def test_it_does_not_wait_for_an_event_that_another_runner_has_applied(model: ReadModel) -> None:
    class Looked(MemoryEventStore):
        looks = 0

        def get_all_events(self, after: str | None, limit: int) -> LogPage:
            self.looks += 1
            return super().get_all_events(after, limit)

    store = Looked()
    [event] = store_events(store, "josh", 1)
    Runner(store, model, Tally()).run()
    runtime.answer(Runner(store, model, Tally()), {"until": event.event_id})
    assert store.looks == 2


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

"""The three handlers: what they answer, log and measure; and that a payload never reaches the log."""

from __future__ import annotations

import json
import logging
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest

from lambdas.eventstore.memory import MemoryEventStore
from testkit.examples import event

ENVIRONMENT = {
    "PATTERN": "of_this_test",
    "POWERTOOLS_SERVICE_NAME": "eventstore-of-this-test",
    "POWERTOOLS_METRICS_NAMESPACE": "EventStore",
    "POWERTOOLS_LOG_LEVEL": "INFO",
    "POWERTOOLS_DEV": "false",
}


@dataclass
class Context:
    """What Lambda hands to a handler."""

    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    function_name: str = "store-events"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:store-events"
    remaining: float = 3000.0

    def get_remaining_time_in_millis(self) -> float:
        return self.remaining


class StandardOutput:
    """That of the moment: Powertools holds on to the one of its import, and pytest changes it with every test."""

    def write(self, text: str) -> None:
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


class Store(MemoryEventStore):
    failure: Exception | None = None

    def get_all_events(self, after: str | None, limit: int) -> Any:
        if self.failure:
            raise self.failure
        return super().get_all_events(after, limit)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def handlers(store: Store, capsys: pytest.CaptureFixture[str]) -> Iterator[ModuleType]:
    """lambdas.handlers as a Lambda of its own would import it, on the memory store."""
    fake = ModuleType("patterns.of_this_test.store")
    fake.from_environment = lambda environ: store  # type: ignore[attr-defined]
    modules = {"patterns.of_this_test": ModuleType("patterns.of_this_test"), "patterns.of_this_test.store": fake}
    with patch.dict(os.environ, ENVIRONMENT), patch.dict(sys.modules, modules):
        sys.modules.pop("lambdas.handlers", None)
        module = import_module("lambdas.handlers")
        for handler in logging.getLogger(ENVIRONMENT["POWERTOOLS_SERVICE_NAME"]).handlers:
            assert isinstance(handler, logging.StreamHandler)
            handler.stream = StandardOutput()
        yield module
        sys.modules.pop("lambdas.handlers", None)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """All that was printed: log entries and metrics, each a line of JSON."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.strip()]


def metrics(printed: list[dict[str, Any]]) -> list[tuple[str, str, Any]]:
    return [
        (line["operation"], metric["Name"], line[metric["Name"]])
        for line in printed
        if "_aws" in line
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    ]


def logged(printed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in printed if "level" in line]


SECRET = "a secret that only the payload knows"


def test_a_request_is_answered_logged_and_counted(handlers: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    events = [event("a", 1, text=SECRET), event("a", 2)]

    answer = handlers.store_events({"events": events, "requestId": "the request"}, Context())

    assert len(answer["events"]) == 2
    printed = lines(capsys)
    [entry] = logged(printed)
    assert entry["function_request_id"] == Context.aws_request_id
    assert entry["requestId"] == "the request"
    assert entry["service"] == "eventstore-of-this-test"
    assert entry["events"] == 2
    assert metrics(printed) == [("store_events", "EventsStored", [2.0])]


def test_metrics_are_of_the_project_s_namespace_by_operation(
    handlers: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers.get_all_events({}, Context())

    [line] = [line for line in lines(capsys) if "_aws" in line]
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "EventStore"
    assert set(directive["Dimensions"][0]) == {"operation", "service"}  # as terraform/modules/dashboard asks for them


def test_environments_that_are_restored_from_one_snapshot_draw_different_numbers(handlers: ModuleType) -> None:
    random.seed(1)
    snapshot, drawn = random.getstate(), set()
    for _ in range(2):
        random.setstate(snapshot)
        handlers.get_all_events({}, Context())
        drawn.add(random.random())

    assert len(drawn) == 2


def test_reading_measures_the_size_of_the_page(handlers: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    handlers.store_events({"events": [event("a", 1), event("a", 2)]}, Context())
    lines(capsys)
    handlers.get_aggregate_events({"aggregateId": "a"}, Context())
    handlers.get_all_events({"limit": 1}, Context())

    measured = metrics(lines(capsys))
    assert measured == [("get_aggregate_events", "PageSize", [2.0]), ("get_all_events", "PageSize", [1.0])]


def test_refusals_are_answers_and_counted_apart(handlers: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    conflict = handlers.store_events({"events": [event("a", 2)]}, Context())
    invalid = handlers.store_events({"events": []}, Context())

    assert (conflict["error"]["code"], invalid["error"]["code"]) == ("VersionConflict", "InvalidRequest")
    assert [name for _, name, _ in metrics(lines(capsys))] == ["VersionConflicts", "InvalidRequests"]


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_failures_are_raised(handlers: ModuleType, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.failure = ConnectionError("AWS is out of reach")

    with pytest.raises(ConnectionError):
        handlers.get_all_events({}, Context())


@pytest.mark.parametrize(
    "request_",
    [
        {"events": [event("a", 1, text=SECRET)]},
        {"events": [event("a", 2, text=SECRET)]},
        {"events": [event("a", 1, text=SECRET, n=2**53)]},
        {"events": [{**event("a", 1), "metadata": SECRET}]},
        {"events": [{**event("a", 1), "metadata": {SECRET: 2**53}}]},
        {"events": [event("a", 1)], SECRET: 1},
    ],
    ids=["stored", "conflict", "bad number", "bad metadata", "bad value under a telling name", "unknown field"],
)
def test_a_payload_never_reaches_the_log(
    handlers: ModuleType, request_: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers.store_events(request_, Context())

    assert SECRET not in capsys.readouterr().out


def test_one_invocation_leaves_nothing_in_the_log_of_the_next(
    handlers: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    handlers.store_events({"events": [event("a", 1)], "requestId": "first"}, Context(aws_request_id="one"))
    lines(capsys)
    handlers.get_all_events({}, Context(aws_request_id="two"))

    [entry] = logged(lines(capsys))
    assert entry["function_request_id"] == "two"
    assert entry.get("requestId") is None


def test_a_package_without_the_store_of_pattern_fails_with_the_remedy() -> None:
    with patch.dict(os.environ, {**ENVIRONMENT, "PATTERN": "of_another"}), patch.dict(sys.modules):
        sys.modules.pop("lambdas.handlers", None)
        with pytest.raises(RuntimeError, match=r"PATTERN is of_another, .* deploy of_another\.zip"):
            import_module("lambdas.handlers")


def test_a_store_that_lacks_a_module_of_its_own_fails_as_python_does() -> None:
    class Broken:
        def find_spec(self, name: str, *_: Any) -> None:
            if name == "patterns.of_this_test":
                raise ModuleNotFoundError("No module named 'missing'", name="missing")

    with (
        patch.dict(os.environ, ENVIRONMENT),
        patch.dict(sys.modules),
        patch.object(sys, "meta_path", [Broken(), *sys.meta_path]),
    ):
        sys.modules.pop("lambdas.handlers", None)
        with pytest.raises(ModuleNotFoundError, match="missing"):
            import_module("lambdas.handlers")

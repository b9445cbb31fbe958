"""`make call`, on a store in memory."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lambdas.eventstore import wire
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.eventstore.wire import Operation
from tools import call, stores
from tools.console import UsageError

EVENT = {"aggregateId": "a", "aggregateVersion": 1, "eventType": "O'Brien", "eventVersion": 1, "metadata": {"ë": 1.0}}


class Called:
    def __init__(self) -> None:
        self.requests: list[Any] = []
        self._store = MemoryEventStore()

    def call(self, operation: Operation, request: Any) -> dict[str, Any]:
        self.requests.append(request)
        return wire.answer(self._store, operation, request)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Called:
    called = Called()

    @contextmanager
    def deployed(*_: object) -> Iterator[Called]:
        yield called

    monkeypatch.setattr(stores, "deployed", deployed)
    return called


def main(monkeypatch: pytest.MonkeyPatch, *arguments: str, piped: str | None = None) -> None:
    monkeypatch.setattr(sys, "argv", ["call", *arguments])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((piped or "").encode())))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: piped is None)
    call.main()


def test_in_a_pipe_the_answer_is_one_line(
    called: Called, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(monkeypatch, "ksuid", "store_events", json.dumps({"events": [EVENT]}))
    told = capsys.readouterr().out
    assert told.count("\n") == 1
    assert json.loads(told)["events"][0].items() >= EVENT.items()
    assert '"metadata":{"ë":1.0}' in told


def test_a_request_can_be_piped_in_and_a_refusal_is_an_answer(
    called: Called, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        main(monkeypatch, "ksuid", "store_events", piped=json.dumps({"events": [EVENT]}))
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["events"]
    assert second["error"]["code"] == "VersionConflict"


def test_on_a_terminal_the_answer_is_indented(
    called: Called, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")  # without colours
    main(monkeypatch, "ksuid", "get_all_events", "{}")
    assert capsys.readouterr().out == json.dumps({"events": [], "next": None, "hasMore": False}, indent=2) + "\n"


def test_what_is_stored_can_be_repeated_safely_and_a_request_id_that_is_given_counts(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    for request in ({"events": [EVENT]}, {"events": [EVENT]}, {"events": [EVENT], "requestId": "mine"}):
        main(monkeypatch, "ksuid", "store_events", json.dumps(request))
    main(monkeypatch, "ksuid", "get_aggregate_events", '{"aggregateId": "a"}')
    made, again, given, read = called.requests
    assert made["requestId"] != again["requestId"]
    assert given["requestId"] == "mine"
    assert read == {"aggregateId": "a"}


@pytest.mark.parametrize(
    ("arguments", "piped", "told"),
    [
        (("all", "get_all_events", "{}"), None, "One store is called at a time"),
        (("nonsense", "get_all_events", "{}"), None, "There is no pattern 'nonsense'"),
        (("ksuid", "get_events", "{}"), None, "store_events, get_aggregate_events, get_all_events"),
        (("ksuid", "", "{}"), None, "OPERATION is missing"),
        (("ksuid", "get_all_events"), None, "give JSON='{…}', or pipe it in"),
        (("ksuid", "get_all_events"), "", "not JSON"),
        (("ksuid", "get_all_events", "{after: null}"), None, "not JSON"),
        (("ksuid", "get_all_events", '{"limit": NaN}'), None, "not JSON"),
        (("ksuid", "get_all_events", "{}", "--target", "azure"), None, "local, localstack, aws"),
    ],
)
def test_wrong_usage_is_told(
    called: Called, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], piped: str | None, told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        main(monkeypatch, *arguments, piped=piped)
    assert not called.requests

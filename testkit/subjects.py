"""The stores under test, all seen through the wire: JSON in, JSON out, each answer checked against the wire's schema.

A subject is the memory store, a pattern in this process with empty tables of its own, or a pattern's deployed Lambdas,
which all tests share. So tests name aggregates that nobody else has, and read the log from where it ended at first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema

import lambdas.eventstore
from lambdas.eventstore import EventStore, wire
from lambdas.eventstore.printable import is_printable
from lambdas.eventstore.remote import RemoteEventStore
from lambdas.eventstore.wire import Operation
from testkit.examples import Event
from testkit.harness import Environment, Harness, eventually

VISIBLE_SECONDS = 30.0
"""How long an event may take to show in the log of a deployed pattern."""


class Subject:
    """One store under test."""

    def __init__(self, sheet: dict[str, Any], after: str | None = None) -> None:
        self.guarantees = sheet["guarantees"]
        self._after = after

    def answer(self, operation: Operation, request: Any) -> dict[str, Any]:
        raise NotImplementedError

    def drain(self) -> None:
        """Helps what is stored to show in the log, where the suite can do something about that."""

    def call(self, operation: Operation, **request: Any) -> dict[str, Any]:
        """What `operation` answers, be it a response or an error."""
        answer = self.answer(operation, json.loads(json.dumps(request)))
        check(operation, answer)
        return answer

    def store(self, *events: Event, request_id: str | None = None) -> list[Event]:
        """The events as stored; fails if they are refused."""
        answer = self.try_to_store(*events, request_id=request_id)
        assert "error" not in answer, answer
        return list(answer["events"])

    def try_to_store(self, *events: Event, request_id: str | None = None) -> dict[str, Any]:
        request: dict[str, Any] = {"events": list(events)}
        if request_id is not None:
            request["requestId"] = request_id
        return self.call("store_events", **request)

    def aggregate(self, aggregate: str) -> list[Event]:
        """All events of an aggregate, over as many pages as there are."""
        events: list[Event] = []
        start: int | None = 1
        while start:
            page = self.call("get_aggregate_events", aggregateId=aggregate, fromVersion=start, limit=1000)
            events += page["events"]
            start = page["nextVersion"]
        return events

    def log_end(self) -> str | None:
        """Where the log ends now."""
        return self.tail(self._after)[1]

    def tail(self, after: str | None, limit: int = 1000) -> tuple[list[Event], str | None]:
        """All events behind `after`, over as many pages as there are, and where to go on."""
        events: list[Event] = []
        more = True
        while more:
            page = self.page(after, limit)
            events += page["events"]
            after, more = page["next"], page["hasMore"]
        return events, after

    def page(self, after: str | None, limit: int) -> dict[str, Any]:
        request: dict[str, Any] = {"limit": limit}
        if after is not None:
            request["after"] = after
        return self.call("get_all_events", **request)

    def log_of(self, *aggregates: str, count: int, after: str | None, limit: int = 1000) -> list[Event]:
        """The events of `aggregates` behind `after` in global order, once there are `count` of them."""
        self.drain()

        def own() -> list[Event]:
            return [event for event in self.tail(after, limit)[0] if event["aggregateId"] in aggregates]

        if self.guarantees["read_all"] == "strong":
            return own()
        eventually(lambda: len(own()) >= count, VISIBLE_SECONDS, f"{count} events in the log")
        return own()


class InProcess(Subject):
    """A store object in this process. With a harness, `environment` says what it works on."""

    def __init__(
        self,
        store: EventStore,
        sheet: dict[str, Any],
        harness: Harness | None = None,
        environment: Environment | None = None,
    ) -> None:
        super().__init__(sheet)
        self.store_object = store
        self._drain: Callable[[], None] = lambda: None
        if harness and environment:
            self._drain = lambda: harness.drain(environment)

    def answer(self, operation: Operation, request: Any) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(json.dumps(wire.answer(self.store_object, operation, request)))
        return answer

    def drain(self) -> None:
        self._drain()


class Deployed(Subject):
    """A pattern's three Lambdas. An error of the function itself is an exception, and fails the test."""

    def __init__(self, functions: dict[Operation, str], client: Any, sheet: dict[str, Any], after: str | None) -> None:
        super().__init__(sheet, after)
        self._remote = RemoteEventStore(client, functions)

    def answer(self, operation: Operation, request: Any) -> dict[str, Any]:
        return self._remote.call(operation, request)


MEMORY_SHEET: dict[str, Any] = {
    "guarantees": {
        "global_order": "total",
        "read_all": "strong",
        "late_events": False,
        "dense_offsets": True,
        "tamper_evident": False,
    }
}


def check(operation: Operation, answer: Any) -> None:
    """Fails if `answer` is not one that the wire's schema allows."""
    validators = (_VALIDATORS["error"],) if "error" in answer else (_VALIDATORS[operation],)
    for validator in validators:
        if error := jsonschema.exceptions.best_match(validator.iter_errors(answer)):
            raise AssertionError(f"{operation} answered outside its schema: {error.message} at {error.json_path}")


_SCHEMA = json.loads(Path(lambdas.eventstore.__file__).with_name("wire.schema.json").read_text(encoding="utf-8"))
_FORMATS = jsonschema.FormatChecker(formats=())
_FORMATS.checks("printable")(lambda value: not isinstance(value, str) or is_printable(value))
_VALIDATORS = {
    name: jsonschema.Draft7Validator({**_SCHEMA, "$ref": f"#/definitions/{name}.response"}, format_checker=_FORMATS)
    for name in ("error", *wire.OPERATIONS)
}

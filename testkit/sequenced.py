"""What the tests of patterns whose events are brought into the log by further Lambdas have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3

from testkit.examples import Event, history, new_id
from testkit.harness import Environment, Harness, eventually
from testkit.subjects import VISIBLE_SECONDS, InProcess
from tools.discovery import select


def store(harness: Harness, environment: Environment, *events: Event) -> InProcess:
    """The store of that environment, with these events. Nothing brings them into the log."""
    subject = InProcess(harness.open(environment), select(harness.pattern)[0].sheet)
    subject.store(*events)
    return subject


def names(events: list[Event]) -> list[tuple[str, int]]:
    return [(event["aggregateId"], event["aggregateVersion"]) for event in events]


def assert_the_deployed_sweep_finds(harness: Harness, outputs: Mapping[str, str], woken: str) -> None:
    """Three events are stored while nothing wakes the function `woken`; the sweep brings them into the log."""
    ann, functions = new_id(), boto3.client("lambda")
    with nothing_relayed(functions, outputs[woken]):
        subject = store(harness, dict(harness.deployed), *history(ann, 3))
        end = subject.log_end()

        def found() -> bool:
            answer = functions.invoke(FunctionName=outputs["sweep"])
            assert "FunctionError" not in answer, answer["Payload"].read()
            return len([event for event in subject.tail(end)[0] if event["aggregateId"] == ann]) == 3

        eventually(found, VISIBLE_SECONDS, "three events in the log")


@contextmanager
def nothing_relayed(functions: Any, function: str) -> Iterator[None]:
    """The event source mapping of `function` is off."""
    [mapping] = functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

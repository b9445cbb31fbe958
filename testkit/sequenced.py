"""What the tests of patterns whose events are brought into the log by further Lambdas have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore.sequencing.doorbells import Doorbells
from testkit import clients
from testkit.examples import Event, event, history, new_id
from testkit.harness import Environment, Harness, eventually
from testkit.permissions import role_like
from testkit.subjects import VISIBLE_SECONDS, InProcess
from tools.discovery import select


def store(harness: Harness, environment: Environment, *events: Event) -> InProcess:
    """The store of that environment, with these events. Nothing brings them into the log."""
    subject = InProcess(harness.open(environment), select(harness.pattern)[0].sheet)
    subject.store(*events)
    return subject


def names(events: list[Event]) -> list[tuple[str, int]]:
    return [(event["aggregateId"], event["aggregateVersion"]) for event in events]


class Aside:
    """Takes what a sequencer sets aside, and keeps it here."""

    def __init__(self) -> None:
        self.unmet: Doorbells = {}
        self.others: list[str] = []

    def __call__(self, unmet: Doorbells, others: Sequence[str]) -> None:
        self.unmet |= unmet
        self.others += others


def nothing(unmet: Doorbells, others: Sequence[str]) -> None:
    """For a store where nothing should be set aside."""
    assert (unmet, list(others)) == ({}, [])


@contextmanager
def failures_queue() -> Iterator[str]:
    """A queue for what is set aside."""
    sqs = clients.client("sqs")
    url: str = sqs.create_queue(QueueName=f"fresh-{uuid4().hex}")["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


def assert_the_deployed_sequencer_sets_aside(
    harness: Harness, outputs: Mapping[str, str], aggregate: str, version: str
) -> None:
    """The item with this key is put into the table by hand; its neighbours get on, and word of it is in the queue."""
    ann, dynamodb, sqs = new_id(), clients.client("dynamodb"), clients.client("sqs")
    key = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": version}}
    dynamodb.put_item(TableName=outputs["table"], Item=key)
    try:
        subject = store(harness, dict(harness.deployed), event(ann, 1))
        eventually(lambda: (ann, 1) in names(subject.tail(None)[0]), VISIBLE_SECONDS, "the event behind it")
        letters: list[str] = []

        def set_aside() -> bool:
            # Hidden for a moment, or the same ten would come again and again, whatever else the queue holds.
            answer = sqs.receive_message(QueueUrl=outputs["failures"], MaxNumberOfMessages=10, VisibilityTimeout=1)
            letters.extend(letter["Body"] for letter in answer.get("Messages", []))
            return any(aggregate[:100] in letter for letter in letters)

        eventually(set_aside, VISIBLE_SECONDS, "the message")
    finally:
        dynamodb.delete_item(TableName=outputs["table"], Key=key)
        sqs.purge_queue(QueueUrl=outputs["failures"])


NO_EVENTS = [("x" * 2040, "1"), ("hand-made", "0.5"), ("hand-made", "7")]
"""Keys with an id that is too long for a mark, a version that no event has, and one whose predecessors are absent."""


def assert_the_deployed_sweep_finds(harness: Harness, outputs: Mapping[str, str], woken: str) -> None:
    """Three events are stored while nothing wakes the function `woken`; the sweep brings them into the log."""
    ann, functions = new_id(), clients.client("lambda")
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


def assert_the_sweep_may_write_its_cursor_only(outputs: Mapping[str, Any]) -> None:
    """The role of the deployed sweep puts its own item into the log, and is denied another, also beside its own."""
    root = clients.client("dynamodb")

    def put(part: str) -> dict[str, Any]:
        item = {"part": {"S": part}, "firstPosition": {"N": "-1"}}
        return {"TableName": outputs["log_table"], "Item": item}

    with role_like(outputs["sweep"]) as credentials:
        role = boto3.client("dynamodb", **credentials)
        role.put_item(**put("sweep"))
        root.delete_item(TableName=outputs["log_table"], Key=put("sweep")["Item"])
        with pytest.raises(ClientError, match="AccessDenied"):
            role.put_item(**put("log"))
        with pytest.raises(ClientError, match="AccessDenied"):
            role.transact_write_items(TransactItems=[{"Put": put("sweep")}, {"Put": put("log")}])

"""The pattern's further Lambdas: what they make of what wakes them, and how they work when deployed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing import runtime
from testkit.aws_calls import Watch
from testkit.examples import Event, event, history, new_id
from testkit.harness import Environment, eventually
from testkit.session import Session
from testkit.streams import Stream
from testkit.subjects import VISIBLE_SECONDS, InProcess
from tests.conformance.test_permissions import CHANGES, key_of, role_like
from tools.discovery import containing

from .. import sequencer, sweeper
from ..sequencer import UnmetDoorbells
from .harness import Harness

PATTERN = containing(__file__)
Deployment = dict[str, Any]


@pytest.fixture
def deployment(session: Session, aws: None) -> Deployment:
    return session.deployment(PATTERN.name)


@pytest.fixture
def environment(deployment: Deployment, watch: Watch) -> Iterator[Environment]:
    harness = Harness(PATTERN.name, deployment["environment"])
    made = harness.fresh()
    with time_limit(VISIBLE_SECONDS):
        yield made
    harness.discard(made)


def store(environment: Environment, *events: Event) -> InProcess:
    harness = Harness(PATTERN.name, environment)
    subject = InProcess(harness.open(environment), PATTERN.sheet)
    subject.store(*events)
    return subject


def names(events: list[Event]) -> list[tuple[str, int]]:
    return [(event["aggregateId"], event["aggregateVersion"]) for event in events]


def test_a_batch_of_the_stream_is_sequenced_in_whatever_order_its_records_come(environment: Environment) -> None:
    ann = new_id()
    subject = store(environment, *history(ann, 5))
    records = Stream(environment["TABLE"]).all()
    assert len(records) == 5

    running = runtime.sequencer(environment)
    for record in reversed(records):
        sequencer.sequence(running, {"Records": [record, records[0]]})

    assert names(subject.tail(None)[0]) == [(ann, version) for version in range(1, 6)]


def test_a_batch_with_a_record_that_cannot_be_met_is_raised_when_all_others_have_been_met(
    environment: Environment,
) -> None:
    ann = new_id()
    subject = store(environment, event(ann, 1))
    [record] = Stream(environment["TABLE"]).all()
    false = {"dynamodb": {"Keys": {"aggregateId": {"S": "nobody"}, "aggregateVersion": {"N": "1"}}}}

    with pytest.raises(UnmetDoorbells, match="nobody"):
        sequencer.sequence(runtime.sequencer(environment), {"Records": [false, record]})

    assert names(subject.tail(None)[0]) == [(ann, 1)]


def test_the_sweep_rings_at_the_sequencers_door_without_waiting(environment: Environment, watch: Watch) -> None:
    ann = new_id()
    store(environment, *history(ann, 2))
    sweep = sweeper.from_environment(
        {**environment, "SEQUENCER": "the-sequencer", "SWEEP_EVENTS": "100", "SETTLE_SECONDS": "-1"}
    )

    with watch.recording() as calls, pytest.raises(ClientError, match="ResourceNotFound"):
        sweep()

    [call] = [call for call in calls if call.operation == "Invoke"]
    assert (call.parameters["FunctionName"], call.parameters["InvocationType"]) == ("the-sequencer", "Event")
    sequencer.sequence(runtime.sequencer(environment), json.loads(call.parameters["Payload"]))


def test_what_the_stream_has_lost_the_deployed_sweep_finds(deployment: Deployment, watch: Watch) -> None:
    ann, outputs = new_id(), deployment["outputs"]
    functions = boto3.client("lambda")
    with nothing_relayed(functions, outputs["sequencer"]):
        subject = store(deployment["environment"], *history(ann, 3))
        end = subject.log_end()

        def found() -> bool:
            answer = functions.invoke(FunctionName=outputs["sweep"])
            assert "FunctionError" not in answer, answer["Payload"].read()
            return len([event for event in subject.tail(end)[0] if event["aggregateId"] == ann]) == 3

        eventually(found, VISIBLE_SECONDS, "three events in the log")


def test_one_sequencer_runs_at_a_time(deployment: Deployment) -> None:
    functions = boto3.client("lambda")
    concurrency = functions.get_function_concurrency(FunctionName=deployment["outputs"]["sequencer"])
    assert concurrency["ReservedConcurrentExecutions"] == 1


@pytest.mark.parametrize("function", ["sequencer", "sweep"])
@pytest.mark.parametrize("what", CHANGES)
def test_no_further_lambda_may_change_history(deployment: Deployment, function: str, what: str) -> None:
    root = boto3.client("dynamodb")
    table = deployment["environment"]["TABLE"]
    with role_like(deployment["outputs"][function]) as credentials:
        role = boto3.client("dynamodb", **credentials)
        with pytest.raises(ClientError, match="AccessDenied"):
            CHANGES[what](role, table, key_of(root, table))


@contextmanager
def nothing_relayed(functions: Any, function: str) -> Iterator[None]:
    """The event source mapping of `function` is off."""
    [mapping] = functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

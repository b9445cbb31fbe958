"""The pattern's further Lambdas: what they make of what wakes them, and how they work when deployed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError, HTTPClientError

from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing import runtime
from testkit.aws_calls import Call, Disturbance, Watch
from testkit.examples import Event, event, history, new_id
from testkit.harness import Environment, eventually
from testkit.session import Session
from testkit.streams import Stream
from testkit.subjects import VISIBLE_SECONDS, InProcess
from tests.conformance.test_permissions import CHANGES, key_of, role_like
from tools.discovery import containing

from .. import relay, sequencer, sweeper
from ..queue import Queue
from .harness import Harness

PATTERN = containing(__file__)
Deployment = dict[str, Any]
Message = dict[str, str]

NO_NAME = '[{"aggregateId": 5, "aggregateVersion": 1}]'


@pytest.fixture
def deployment(session: Session, aws: None) -> Deployment:
    return session.deployment(PATTERN.name)


@pytest.fixture
def harness(deployment: Deployment, watch: Watch) -> Harness:
    return Harness(PATTERN.name, deployment["environment"])


@pytest.fixture
def environment(harness: Harness) -> Iterator[Environment]:
    made = harness.fresh()
    with time_limit(VISIBLE_SECONDS):
        yield made
    harness.discard(made)


def store(environment: Environment, *events: Event) -> InProcess:
    subject = InProcess(Harness(PATTERN.name, environment).open(environment), PATTERN.sheet)
    subject.store(*events)
    return subject


def names(events: list[Event]) -> list[tuple[str, int]]:
    return [(event["aggregateId"], event["aggregateVersion"]) for event in events]


def message(number: int, *pointers: tuple[str, int], body: str | None = None) -> Message:
    text = json.dumps([{"aggregateId": aggregate, "aggregateVersion": version} for aggregate, version in pointers])
    return {"messageId": str(number), "receiptHandle": f"handle {number}", "body": text if body is None else body}


def test_the_relay_sends_pointers_in_one_group_and_no_event(environment: Environment, watch: Watch) -> None:
    ann, josh = new_id(), new_id()
    store(environment, event(ann, 1, secret="of ann"), event(ann, 2), event(josh, 1))
    records = Stream(environment["TABLE"]).all()

    with watch.recording() as calls:
        relay.relay(Queue.from_environment(environment), {"Records": records})
        relay.relay(Queue.from_environment(environment), {"Records": records[:1]})

    assert {call.parameters["MessageGroupId"] for call in calls} == {"log"}
    assert len({call.parameters["MessageDeduplicationId"] for call in calls}) == 2
    pointers = json.loads(calls[0].parameters["MessageBody"])
    assert sorted(pointers, key=str) == sorted(
        [{"aggregateId": ann, "aggregateVersion": 2}, {"aggregateId": josh, "aggregateVersion": 1}], key=str
    )


def test_a_message_holds_a_hundred_of_the_longest_pointers(environment: Environment) -> None:
    longest = {f"{n:03}" + "\U0001f600" * 125: 2**53 for n in range(100)}
    Queue.from_environment(environment).send(longest)


def test_a_batch_that_the_relay_is_given_again_adds_no_message_while_the_queue_remembers_it(
    harness: Harness, environment: Environment
) -> None:
    store(environment, event(new_id(), 1))
    queue, records = Queue.from_environment(environment), Stream(environment["TABLE"]).all()
    relay.relay(queue, {"Records": records})
    relay.relay(queue, {"Records": records})
    assert len(harness.receive(environment)) == 1


def test_once_the_deduplication_window_has_passed_repeated_messages_change_nothing(
    harness: Harness, environment: Environment
) -> None:
    ann = new_id()
    subject = store(environment, *history(ann, 3))
    records = Stream(environment["TABLE"]).all()
    queue, running = Queue.from_environment(environment), runtime.sequencer(environment)
    for window in range(3):
        with patch.object(Queue, "send", in_window(window)):
            relay.relay(queue, {"Records": records})
            relay.relay(queue, {"Records": records[:1]})
        messages = harness.receive(environment)
        assert len(messages) == 2, "the queue has taken them for repetitions"
        assert not sequencer.sequence(running, messages)
        harness.delete(environment, messages)
    assert names(subject.tail(None)[0]) == [(ann, 1), (ann, 2), (ann, 3)]


def in_window(number: int) -> Any:
    """Sends with another deduplication id in each window, which is how a queue that has forgotten takes it."""
    send = Queue.send
    return lambda queue, batch: send(queue, batch, occasion=f"window {number}")


@pytest.mark.parametrize("bad", range(5))
@pytest.mark.parametrize("body", [None, "", "no JSON", '{"a": 1}', '[{"aggregateId": "ann"}]', NO_NAME])
def test_a_message_that_cannot_be_met_fails_with_all_behind_it(
    environment: Environment, bad: int, body: str | None
) -> None:
    aggregates = [new_id() for _ in range(5)]
    subject = store(environment, *(event(aggregate, 1) for aggregate in aggregates))
    messages = [message(n, (aggregate, 1)) for n, aggregate in enumerate(aggregates)]
    messages[bad] = message(bad, (aggregates[0], 1), ("nobody", 1), body=body)

    failed = sequencer.sequence(runtime.sequencer(environment), messages)

    assert [failure["messageId"] for failure in failed] == [str(n) for n in range(bad, 5)]
    met = set(aggregates) - ({aggregates[bad]} if bad else set())
    assert {name for name, _ in names(subject.tail(None)[0])} >= met - {aggregates[0]}


def test_a_message_is_not_failed_for_what_another_claims_of_the_same_aggregate(environment: Environment) -> None:
    ann = new_id()
    store(environment, event(ann, 1))
    messages = [message(0, (ann, 1)), message(1, (ann, 1)), message(2, (ann, 9)), message(3, (ann, 1))]
    failed = sequencer.sequence(runtime.sequencer(environment), messages)
    assert [failure["messageId"] for failure in failed] == ["2", "3"]


def test_messages_that_failed_are_visible_again_at_once(harness: Harness, environment: Environment) -> None:
    attributes = {"VisibilityTimeout": "600"}
    harness.sqs.set_queue_attributes(QueueUrl=environment["QUEUE_URL"], Attributes=attributes)
    queue = Queue.from_environment(environment)
    queue.send({"nobody": 1})
    messages = harness.receive(environment)
    assert len(messages) == 1
    assert not harness.receive(environment)

    sequencer.release(queue, messages)

    assert [it["messageId"] for it in harness.receive(environment)] == [messages[0]["messageId"]]


def test_a_release_that_fails_is_no_failure(environment: Environment) -> None:
    sequencer.release(Queue.from_environment(environment), [message(0, ("nobody", 1))])


def test_an_aws_failure_fails_the_whole_batch(environment: Environment, watch: Watch) -> None:
    class NoPages(Disturbance):
        def before_sending(self, call: Call, request: Any, send: Any) -> None:
            if call.operation == "PutItem":
                raise HTTPClientError(error="unreachable")

    ann = new_id()
    store(environment, event(ann, 1))
    running = runtime.sequencer(environment)
    with watch.recording(NoPages()), pytest.raises(HTTPClientError):
        sequencer.sequence(running, [message(0, (ann, 1))])


def test_the_sweep_is_heard_even_while_the_queue_remembers_the_same_doorbells(
    harness: Harness, environment: Environment
) -> None:
    """They may have become a dead letter within the deduplication window."""
    ann = new_id()
    store(environment, event(ann, 1))
    relay.relay(Queue.from_environment(environment), {"Records": Stream(environment["TABLE"]).all()})
    harness.delete(environment, harness.receive(environment))
    settings = {**environment, "SWEEP_EVENTS": "100", "SETTLE_SECONDS": "-1"}

    for _ in range(2):
        assert sweeper.from_environment(settings)() == 1

        [rung] = harness.receive(environment)
        assert json.loads(rung["body"]) == [{"aggregateId": ann, "aggregateVersion": 1}]
        harness.delete(environment, [rung])


def test_what_the_relay_has_lost_the_deployed_sweep_finds(deployment: Deployment, watch: Watch) -> None:
    ann, outputs = new_id(), deployment["outputs"]
    functions = boto3.client("lambda")
    with nothing_relayed(functions, outputs["relay"]):
        subject = store(deployment["environment"], *history(ann, 3))
        end = subject.log_end()

        def found() -> bool:
            answer = functions.invoke(FunctionName=outputs["sweep"])
            assert "FunctionError" not in answer, answer["Payload"].read()
            return len([event for event in subject.tail(end)[0] if event["aggregateId"] == ann]) == 3

        eventually(found, VISIBLE_SECONDS, "three events in the log")


def test_a_poisoned_message_becomes_a_dead_letter_and_what_is_behind_it_gets_on(
    deployment: Deployment, watch: Watch
) -> None:
    ann, outputs, sqs = new_id(), deployment["outputs"], boto3.client("sqs")
    nobody = f"nobody {new_id()}"
    Queue(sqs, outputs["queue"]).send({nobody: 1})

    subject = store(deployment["environment"], event(ann, 1))
    end = subject.log_end()

    eventually(lambda: (ann, 1) in names(subject.tail(None)[0]), VISIBLE_SECONDS, f"the event behind {end}")
    letters: list[str] = []

    def buried() -> bool:
        answer = sqs.receive_message(QueueUrl=outputs["dead_letters"], MaxNumberOfMessages=10, VisibilityTimeout=0)
        letters.extend(letter["Body"] for letter in answer.get("Messages", []))
        return any(nobody in letter for letter in letters)

    eventually(buried, VISIBLE_SECONDS, "the dead letter")


@pytest.mark.parametrize("function", ["relay", "sequencer", "sweep"])
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

"""The pattern's further Lambdas: what they make of what wakes them, and how they work when deployed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError, HTTPClientError

from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing import runtime
from lambdas.eventstore.sequencing.failures import Failures
from lambdas.eventstore.sequencing.sequencer import PAGE_SECONDS, Outcome
from testkit.aws_calls import Call, Disturbance, Watch
from testkit.examples import event, history, new_id
from testkit.harness import Environment
from testkit.permissions import CHANGES, key_of, role_like
from testkit.sequenced import (
    NO_EVENTS,
    Aside,
    assert_the_deployed_sequencer_sets_aside,
    assert_the_deployed_sweep_finds,
    assert_the_sweep_may_write_its_cursor_only,
    failures_queue,
    names,
    nothing,
    store,
)
from testkit.session import Session
from testkit.streams import Stream
from testkit.subjects import VISIBLE_SECONDS
from tests.sequencer.test_poison import HOSTILE_TEXTS
from tools.discovery import containing

from .. import relay, sequencer, sweeper
from ..queue import Queue
from .harness import Harness

PATTERN = containing(__file__)
Deployment = dict[str, Any]
Message = dict[str, str]


@pytest.fixture(scope="module")
def deployment(session: Session, aws: None) -> Deployment:
    """For the whole module, so that its tests come one after the other: they stop the relaying, and empty the queue."""
    return session.deployment(PATTERN.name)


@pytest.fixture
def harness(deployment: Deployment, watch: Watch) -> Harness:
    return Harness(PATTERN.name, deployment["environment"])


@pytest.fixture
def environment(harness: Harness) -> Iterator[Environment]:
    made = harness.fresh()
    with failures_queue() as failures, time_limit(VISIBLE_SECONDS):
        yield {**made, "FAILURES_URL": failures}
    harness.discard(made)


def message(number: int, *pointers: tuple[str, int], body: str | None = None) -> Message:
    text = json.dumps([{"aggregateId": aggregate, "aggregateVersion": version} for aggregate, version in pointers])
    return {"messageId": str(number), "receiptHandle": f"handle {number}", "body": text if body is None else body}


def test_the_relay_sends_pointers_in_one_group_and_no_event(
    harness: Harness, environment: Environment, watch: Watch
) -> None:
    ann, josh = new_id(), new_id()
    store(harness, environment, event(ann, 1, secret="of ann"), event(ann, 2), event(josh, 1))
    records = Stream(environment["TABLE"]).all()

    with watch.recording() as calls:
        relay.relay(Queue.from_environment(environment), nothing, {"Records": records})
        relay.relay(Queue.from_environment(environment), nothing, {"Records": records[:1]})

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
    store(harness, environment, event(new_id(), 1))
    queue, records = Queue.from_environment(environment), Stream(environment["TABLE"]).all()
    relay.relay(queue, nothing, {"Records": records})
    relay.relay(queue, nothing, {"Records": records})
    assert len(harness.receive(environment)) == 1


def test_once_the_deduplication_window_has_passed_repeated_messages_change_nothing(
    harness: Harness, environment: Environment
) -> None:
    ann = new_id()
    subject = store(harness, environment, *history(ann, 3))
    records = Stream(environment["TABLE"]).all()
    queue, running = Queue.from_environment(environment), runtime.sequencer(environment)
    for window in range(3):
        with patch.object(Queue, "send", in_window(window)):
            relay.relay(queue, nothing, {"Records": records})
            relay.relay(queue, nothing, {"Records": records[:1]})
        messages = harness.receive(environment)
        assert len(messages) == 2, "the queue has taken them for repetitions"
        assert not sequencer.sequence(running, nothing, messages)
        harness.delete(environment, messages)
    assert names(subject.tail(None)[0]) == [(ann, 1), (ann, 2), (ann, 3)]


def in_window(number: int) -> Any:
    """Sends with another deduplication id in each window, which is how a queue that has forgotten takes it."""
    send = Queue.send
    return lambda queue, batch: send(queue, batch, occasion=f"window {number}")


@pytest.mark.parametrize("bad", [0, 4, 9])
@pytest.mark.parametrize("body", [None, *HOSTILE_TEXTS.values()], ids=["unmet", *HOSTILE_TEXTS])
def test_a_message_that_cannot_be_met_is_set_aside_and_costs_its_nine_neighbours_nothing(
    harness: Harness, environment: Environment, bad: int, body: str | None
) -> None:
    aggregates = [new_id() for _ in range(10)]
    subject = store(harness, environment, *(event(aggregate, 1) for aggregate in aggregates))
    messages = [message(n, (aggregate, 1)) for n, aggregate in enumerate(aggregates)]
    messages[bad] = message(bad, ("nobody", 1), body=body)
    aside = Aside()

    assert not sequencer.sequence(runtime.sequencer(environment), aside, messages)

    assert {name for name, _ in names(subject.tail(None)[0])} == set(aggregates) - {aggregates[bad]}
    assert aside.unmet == ({} if body is not None else {"nobody": 1})
    assert len(aside.others) == (body is not None)


def test_of_a_message_that_holds_more_than_doorbells_the_doorbells_are_met(
    harness: Harness, environment: Environment
) -> None:
    ann, aside = new_id(), Aside()
    subject = store(harness, environment, event(ann, 1))
    pointers = [{"aggregateId": "a", "aggregateVersion": 1e400}, {"aggregateId": ann, "aggregateVersion": 1}, None]

    assert not sequencer.sequence(runtime.sequencer(environment), aside, [message(0, body=json.dumps(pointers))])

    assert names(subject.tail(None)[0]) == [(ann, 1)]
    assert aside.others == ["{'aggregateId': 'a', 'aggregateVersion': inf}", "None"]


def test_the_first_message_that_there_was_no_time_for_fails_with_all_behind_it(
    harness: Harness, environment: Environment
) -> None:
    store(harness, environment, *(event("ann", 1), event("bob", 1)))
    messages = [message(0, ("ann", 1)), message(1, ("bob", 1)), message(2, ("ann", 1))]
    running = runtime.sequencer(environment)

    with time_limit(PAGE_SECONDS / 2):
        assert [it["messageId"] for it in sequencer.sequence(running, nothing, messages)] == ["0", "1", "2"]
    assert not sequencer.sequence(running, nothing, messages[:1])
    with patch.object(running, "sequence", return_value=Outcome({}, postponed={"bob": 1})):
        assert [it["messageId"] for it in sequencer.sequence(running, nothing, messages)] == ["1", "2"]


def test_what_cannot_be_set_aside_fails_the_batch(environment: Environment) -> None:
    lost = {**environment, "FAILURES_URL": f"{environment['FAILURES_URL']}-lost"}
    with pytest.raises(ClientError, match="NonExistentQueue"):
        sequencer.sequence(runtime.sequencer(environment), runtime.set_aside(lost), [message(0, ("nobody", 1))])


def test_a_key_that_no_event_can_have_the_relay_sets_aside_and_sends_the_others(
    harness: Harness, environment: Environment
) -> None:
    aside = Aside()
    keys = [("ann", "1"), ("x" * 2048, "1"), ("ann", "1.5"), ("bob", "2")]
    records = [
        {"dynamodb": {"Keys": {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": version}}}}
        for aggregate, version in keys
    ]

    relay.relay(Queue.from_environment(environment), aside, {"Records": records})

    [sent] = harness.receive(environment)
    assert [it["aggregateId"] for it in json.loads(sent["body"])] == ["ann", "bob"]
    assert len(aside.others) == 2


def test_messages_that_there_was_no_time_for_are_visible_again_at_once(
    harness: Harness, environment: Environment
) -> None:
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


def test_an_aws_failure_fails_the_whole_batch(harness: Harness, environment: Environment, watch: Watch) -> None:
    class NoPages(Disturbance):
        def before_sending(self, call: Call, request: Any, send: Any) -> None:
            if call.operation == "PutItem":
                raise HTTPClientError(error="unreachable")

    ann = new_id()
    store(harness, environment, event(ann, 1))
    running = runtime.sequencer(environment)
    with watch.recording(NoPages()), pytest.raises(HTTPClientError):
        sequencer.sequence(running, nothing, [message(0, (ann, 1))])


def test_the_sweep_is_heard_even_while_the_queue_remembers_the_same_doorbells(
    harness: Harness, environment: Environment
) -> None:
    """They may have become a dead letter within the deduplication window."""
    ann = new_id()
    store(harness, environment, event(ann, 1))
    relay.relay(Queue.from_environment(environment), nothing, {"Records": Stream(environment["TABLE"]).all()})
    harness.delete(environment, harness.receive(environment))
    settings = {**environment, "SWEEP_EVENTS": "100", "SWEEP_MEGABYTES": "1", "SETTLE_SECONDS": "-1"}

    for _ in range(2):
        assert sweeper.from_environment(settings)() == 1

        [rung] = harness.receive(environment)
        assert json.loads(rung["body"]) == [{"aggregateId": ann, "aggregateVersion": 1}]
        harness.delete(environment, [rung])


def test_what_the_relay_has_lost_the_deployed_sweep_finds(harness: Harness, deployment: Deployment) -> None:
    assert_the_deployed_sweep_finds(harness, deployment["outputs"], woken="relay")


def test_no_message_is_given_up_by_the_number_of_attempts(deployment: Deployment) -> None:
    """Or it would be in any outage."""
    queue = deployment["outputs"]["queue"]
    attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert attributes["MessageRetentionPeriod"] == str(14 * 24 * 60 * 60)
    assert "RedrivePolicy" not in attributes


def test_what_was_set_aside_the_sweep_rings_for_and_takes_from_the_queue(
    harness: Harness, environment: Environment
) -> None:
    failures = Failures.from_environment(environment)
    failures.set_aside({"nobody": 1}, ["what is none"])
    settings = {"SWEEP_EVENTS": "100", "SWEEP_MEGABYTES": "1", "SETTLE_SECONDS": "-1"}
    sweeper.from_environment({**environment, **settings})()
    [rung] = harness.receive(environment)
    assert json.loads(rung["body"]) == [{"aggregateId": "nobody", "aggregateVersion": 1}]
    assert [(letter.doorbells, letter.others) for letter in failures.take()] == [({}, ["what is none"])]


@pytest.mark.parametrize(("aggregate", "version"), NO_EVENTS)
def test_what_is_no_event_is_set_aside_and_its_neighbours_get_on(
    harness: Harness, deployment: Deployment, aggregate: str, version: str
) -> None:
    assert_the_deployed_sequencer_sets_aside(harness, deployment["outputs"], aggregate, version)


@pytest.mark.parametrize("function", ["relay", "sequencer", "sweep"])
@pytest.mark.parametrize("what", CHANGES)
def test_no_further_lambda_may_change_history(deployment: Deployment, function: str, what: str) -> None:
    root = boto3.client("dynamodb")
    table = deployment["environment"]["TABLE"]
    with role_like(deployment["outputs"][function]) as credentials:
        role = boto3.client("dynamodb", **credentials)
        with pytest.raises(ClientError, match="AccessDenied"):
            CHANGES[what](role, table, key_of(root, table))


def test_of_the_log_the_sweep_may_write_its_cursor_and_nothing_else(deployment: Deployment) -> None:
    assert_the_sweep_may_write_its_cursor_only(deployment["outputs"])

"""The pattern's further Lambdas: what they make of what wakes them, and how they work when deployed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing import runtime
from lambdas.eventstore.sequencing.failures import Failures
from testkit.aws_calls import Call, Disturbance, Watch
from testkit.examples import event, history, new_id
from testkit.faults import error_answer
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
from tools.discovery import containing

from .. import sequencer, sweeper
from ..sweeper import RING_SECONDS, SequencerFailed
from .harness import Harness

PATTERN = containing(__file__)
Deployment = dict[str, Any]


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


def test_a_batch_of_the_stream_is_sequenced_in_whatever_order_its_records_come(
    harness: Harness, environment: Environment
) -> None:
    ann = new_id()
    subject = store(harness, environment, *history(ann, 5))
    records = Stream(environment["TABLE"]).all()
    assert len(records) == 5

    running = runtime.sequencer(environment)
    for record in reversed(records):
        sequencer.sequence(running, nothing, {"Records": [record, records[0]]})

    assert names(subject.tail(None)[0]) == [(ann, version) for version in range(1, 6)]


def test_a_record_that_cannot_be_met_is_set_aside_and_all_others_of_its_batch_are_met(
    harness: Harness, environment: Environment
) -> None:
    ann, aside = new_id(), Aside()
    subject = store(harness, environment, event(ann, 1))
    [record] = Stream(environment["TABLE"]).all()
    false = {"dynamodb": {"Keys": {"aggregateId": {"S": "nobody"}, "aggregateVersion": {"N": "1"}}}}
    none = {"dynamodb": {"Keys": {"aggregateId": {"S": "nobody"}, "aggregateVersion": {"N": "0.5"}}}}

    answer = sequencer.sequence(runtime.sequencer(environment), aside, {"Records": [false, none, record]})

    assert answer == {"batchItemFailures": []}
    assert aside.unmet == {"nobody": 1}
    assert len(aside.others) == 1
    assert names(subject.tail(None)[0]) == [(ann, 1)]


def test_what_cannot_be_set_aside_fails_the_batch(environment: Environment) -> None:
    lost = {**environment, "FAILURES_URL": f"{environment['FAILURES_URL']}-lost"}
    false = {"dynamodb": {"Keys": {"aggregateId": {"S": "nobody"}, "aggregateVersion": {"N": "1"}}}}
    with pytest.raises(ClientError, match="NonExistentQueue"):
        sequencer.sequence(runtime.sequencer(environment), runtime.set_aside(lost), {"Records": [false]})


class Busy(Disturbance):
    """The sequencer as the sweep sees it: so many times busy, and then with this answer."""

    def __init__(self, times: int, answer: str, error: bool = False) -> None:
        self._times, self._answer, self._error = times, answer, error

    def before_sending(self, call: Call, request: Any, send: Any) -> AWSResponse | None:
        if call.operation != "Invoke":
            return None
        self._times -= 1
        if self._times >= 0:
            return error_answer(request, "TooManyRequestsException", 429)
        headers = HTTPHeaders()
        if self._error:
            headers["x-amz-function-error"] = "Unhandled"
        return AWSResponse(request.url, 200, headers, BytesIO(self._answer.encode()))


def the_sweep(environment: Environment) -> Callable[[], int]:
    settings = {"SEQUENCER": "the-sequencer", "SWEEP_EVENTS": "100", "SWEEP_MEGABYTES": "1", "SETTLE_SECONDS": "-1"}
    return sweeper.from_environment({**environment, **settings})


def test_the_sweep_waits_for_the_sequencer_and_nothing_waits_in_a_queue_of_lambdas(
    harness: Harness, environment: Environment, watch: Watch
) -> None:
    ann = new_id()
    subject = store(harness, environment, *history(ann, 2))

    with time_limit(RING_SECONDS + 20), watch.recording(Busy(3, '{"postponed": []}')) as calls:
        assert the_sweep(environment)() == 1

    rings = [call.parameters for call in calls if call.operation == "Invoke"]
    assert len(rings) == 4
    assert {(it["FunctionName"], it["InvocationType"]) for it in rings} == {("the-sequencer", "RequestResponse")}
    sequencer.sequence(runtime.sequencer(environment), nothing, json.loads(rings[-1]["Payload"]))
    assert len(subject.tail(None)[0]) == 2


def test_a_sweep_that_finds_the_sequencer_busy_all_the_time_leaves_it_to_the_next_run(
    harness: Harness, environment: Environment, watch: Watch
) -> None:
    store(harness, environment, *history(new_id(), 2))
    with time_limit(RING_SECONDS + 1), watch.recording(Busy(10**6, "")):
        assert the_sweep(environment)() == 0
    with time_limit(RING_SECONDS + 20), watch.recording(Busy(0, '{"postponed": []}')):
        assert the_sweep(environment)() == 1


def test_the_sweep_rings_again_for_what_the_sequencer_had_no_time_for(
    harness: Harness, environment: Environment, watch: Watch
) -> None:
    ann, answers = (
        new_id(),
        iter(['{"postponed": [{"aggregateId": "ann", "aggregateVersion": 2}]}', '{"postponed": []}']),
    )
    store(harness, environment, *history(ann, 2))

    class Slow(Busy):
        def before_sending(self, call: Call, request: Any, send: Any) -> AWSResponse | None:
            if call.operation == "Invoke":
                self._answer = next(answers)
            return super().before_sending(call, request, send)

    with time_limit(RING_SECONDS + 20), watch.recording(Slow(0, "")) as calls:
        assert the_sweep(environment)() == 1
    rung = [json.loads(call.parameters["Payload"])["doorbells"] for call in calls if call.operation == "Invoke"]
    assert rung == [[{"aggregateId": name, "aggregateVersion": 2}] for name in (ann, "ann")]


def test_a_sequencer_that_fails_fails_the_sweep(harness: Harness, environment: Environment, watch: Watch) -> None:
    store(harness, environment, *history(new_id(), 2))
    with (
        time_limit(RING_SECONDS + 20),
        watch.recording(Busy(0, '{"errorType": "OutOfTime"}', error=True)),
        pytest.raises(SequencerFailed, match="OutOfTime"),
    ):
        the_sweep(environment)()


def test_what_was_set_aside_the_sweep_rings_for_and_takes_from_the_queue(
    environment: Environment, watch: Watch
) -> None:
    failures = Failures.from_environment(environment)
    failures.set_aside({"nobody": 1}, ["what is none"])
    with time_limit(RING_SECONDS + 20), watch.recording(Busy(0, '{"postponed": []}')) as calls:
        the_sweep(environment)()
    [rung] = [json.loads(call.parameters["Payload"]) for call in calls if call.operation == "Invoke"]
    assert rung == {"doorbells": [{"aggregateId": "nobody", "aggregateVersion": 1}]}
    assert [(letter.doorbells, letter.others) for letter in failures.take()] == [({}, ["what is none"])]


def test_the_sweep_may_wait_longer_than_the_sequencer_may_run(deployment: Deployment) -> None:
    functions = boto3.client("lambda")
    timeouts = {
        name: functions.get_function_configuration(FunctionName=deployment["outputs"][name])["Timeout"]
        for name in ("sequencer", "sweep")
    }
    assert timeouts["sequencer"] < RING_SECONDS < timeouts["sweep"] / 2


def test_what_the_stream_has_lost_the_deployed_sweep_finds(harness: Harness, deployment: Deployment) -> None:
    assert_the_deployed_sweep_finds(harness, deployment["outputs"], woken="sequencer")


@pytest.mark.parametrize(("aggregate", "version"), NO_EVENTS)
def test_what_is_no_event_is_set_aside_and_its_neighbours_get_on(
    harness: Harness, deployment: Deployment, aggregate: str, version: str
) -> None:
    assert_the_deployed_sequencer_sets_aside(harness, deployment["outputs"], aggregate, version)


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


def test_of_the_log_the_sweep_may_write_its_cursor_and_nothing_else(deployment: Deployment) -> None:
    assert_the_sweep_may_write_its_cursor_only(deployment["outputs"])

"""What the store makes of each way in which an attempt can fail, forced on the calls of one append.

The emulator never raises TransactionConflict and never throttles, so the answers are made here, as DynamoDB words them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

from lambdas.eventstore import wire
from lambdas.eventstore.retry import OutOfTime
from testkit.aws_calls import Call, Disturbance, Send, Watch
from testkit.examples import event, history, new_id
from testkit.faults import Refused, error_answer
from testkit.subjects import InProcess

TAIL, TRANSACTION = 0, 1
"""Calls of an append to a new aggregate."""

LogReader = Callable[[], list[dict[str, Any]]]


def cancelled(*reasons: str) -> dict[str, Any]:
    return {"CancellationReasons": [{"Code": reason, "Message": reason} for reason in reasons]}


PASSING_REASONS = [
    ("TransactionConflict", "None"),
    ("None", "TransactionConflict"),
    ("None", "ConditionalCheckFailed"),
    ("TransactionConflict", "ConditionalCheckFailed"),
    ("ThrottlingError", "None"),
    ("None", "ThrottlingError"),
    ("ProvisionedThroughputExceeded", "None"),
    ("None", "ProvisionedThroughputExceeded"),
]
PASSING_ERRORS = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TransactionInProgressException",
]


class RefusedThroughout(Disturbance):
    """AWS answers all attempts of one call with an error; the SDK gives up."""

    def __init__(self, number: int, code: str) -> None:
        self._number, self._code = number, code

    def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        return error_answer(request, self._code) if call.number == self._number else None


class AllCancelled(Disturbance):
    """Every transaction is cancelled for these reasons."""

    def __init__(self, *reasons: str) -> None:
        self._details = cancelled(*reasons)

    def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        if call.operation != "TransactWriteItems":
            return None
        return error_answer(request, "TransactionCanceledException", **self._details)


class StoredButThrottled(Disturbance):
    """The first attempt takes effect and its answer is lost; every further one is throttled."""

    def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        if call.number != TRANSACTION:
            return None
        if call.attempts == 1:
            send(request)
        return error_answer(request, "ThrottlingException")


@pytest.mark.parametrize("reasons", PASSING_REASONS)
def test_a_passing_reason_is_tried_again(
    fresh_store: InProcess, watch: Watch, log: LogReader, reasons: tuple[str, str]
) -> None:
    with watch.recording(Refused(TRANSACTION, "TransactionCanceledException", **cancelled(*reasons))) as calls:
        [stored] = fresh_store.store(event(new_id(), 1))

    assert [call.operation for call in calls] == ["Query", "TransactWriteItems"] * 2
    assert stored["offset"] == "1"
    assert [entry["eventId"]["S"] for entry in log()] == [stored["eventId"]]


@pytest.mark.parametrize("code", PASSING_ERRORS)
@pytest.mark.parametrize("number", [TAIL, TRANSACTION])
def test_throttling_that_outlasts_the_sdk_is_tried_again(
    fresh_store: InProcess, watch: Watch, log: LogReader, number: int, code: str
) -> None:
    with watch.recording(RefusedThroughout(number, code)):
        [stored] = fresh_store.store(event(new_id(), 1))

    assert [entry["eventId"]["S"] for entry in log()] == [stored["eventId"]]


@pytest.mark.parametrize("reasons", PASSING_REASONS)
def test_when_time_runs_out_nothing_is_stored(
    fresh_store: InProcess, watch: Watch, log: LogReader, reasons: tuple[str, str]
) -> None:
    aggregate = new_id()
    with watch.recording(AllCancelled(*reasons)) as calls, pytest.raises(OutOfTime, match="gave up after"):
        wire.answer(fresh_store.store_object, "store_events", {"events": [event(aggregate, 1)]}, seconds=1.5)

    assert len(calls) > 2
    assert log() == []
    assert fresh_store.aggregate(aggregate) == []


@pytest.mark.parametrize("reasons", [("ValidationError", "None"), ("None", "ItemCollectionSizeLimitExceeded")])
def test_a_reason_that_does_not_pass_is_raised_at_once(
    fresh_store: InProcess, watch: Watch, reasons: tuple[str, str]
) -> None:
    refused = Refused(TRANSACTION, "TransactionCanceledException", for_ever=True, **cancelled(*reasons))
    with watch.recording(refused) as calls, pytest.raises(ClientError, match="TransactionCanceledException"):
        fresh_store.store(event(new_id(), 1))

    assert len(calls) == 2


@pytest.mark.parametrize("of_the_log", ["None", "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError"])
def test_a_taken_version_is_a_conflict_at_once_whatever_else_was_wrong(
    fresh_store: InProcess, watch: Watch, of_the_log: str
) -> None:
    aggregate = new_id()
    fresh_store.store(*history(aggregate, 2))
    reasons = cancelled("ConditionalCheckFailed", of_the_log)
    refused = Refused(2, "TransactionCanceledException", **reasons)  # behind the reads of version 1 and of the tail
    with watch.recording(refused) as calls:
        answer = fresh_store.try_to_store(event(aggregate, 2))

    assert refused.struck
    assert answer["error"]["code"] == "VersionConflict"
    assert [call.operation for call in calls].count("TransactWriteItems") == 1


def test_an_attempt_that_took_effect_unseen_is_recognised_by_the_next(
    fresh_store: InProcess, watch: Watch, log: LogReader
) -> None:
    with watch.recording(StoredButThrottled()) as calls:
        stored = fresh_store.store(*history(new_id(), 3))

    assert [call.operation for call in calls].count("TransactWriteItems") == 2
    assert [event["offset"] for event in stored] == ["1", "2", "3"]
    assert [entry["eventId"]["S"] for entry in log()] == [event["eventId"] for event in stored]


def test_the_reads_before_an_attempt_are_not_repeated_but_for_the_tail(
    fresh_store: InProcess, cold_store: InProcess, watch: Watch
) -> None:
    aggregate = new_id()
    fresh_store.store(event(aggregate, 1))
    lost = Refused(2, "TransactionCanceledException", **cancelled("None", "ConditionalCheckFailed"))
    with watch.recording(lost) as calls:
        cold_store.store(event(aggregate, 2))

    assert [call.operation for call in calls] == ["BatchGetItem", *["Query", "TransactWriteItems"] * 2]


def test_forty_events_over_forty_aggregates_are_one_transaction_of_eighty_items(
    fresh_store: InProcess, watch: Watch
) -> None:
    with watch.recording() as calls:
        stored = fresh_store.store(*(event(new_id(), 1) for _ in range(40)))

    assert [len(call.parameters["TransactItems"]) for call in calls[TRANSACTION:]] == [80]
    assert [event["offset"] for event in stored] == [str(n) for n in range(1, 41)]

"""What AWS may answer in place of what was asked: throttling, cancelled transactions, keys left unprocessed, and reads
that see a part of a transaction. What passes is outlasted, what does not is raised, and nothing is half-visible.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from testkit import faults
from testkit.aws_calls import Call, Disturbance
from testkit.examples import bare, event, history, new_id, versions
from testkit.faults import Refused
from testkit.trials import (
    REQUESTS,
    Request,
    Trials,
    disturbed,
    events_of_several_aggregates,
    first_event,
    ids_of,
    numbers,
    stored_ids,
)

THROTTLED = ("ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded")
SERVER_ERRORS = (("InternalServerError", 500), ("ServiceUnavailable", 503))


@pytest.mark.parametrize(("code", "status"), [*((code, 400) for code in THROTTLED), *SERVER_ERRORS])
def test_an_append_outlasts_an_error_that_passes(trial: Trials, code: str, status: int) -> None:
    for number in numbers():
        with trial() as on:
            request, fault = events_of_several_aggregates(), Refused(number, code, status=status)
            for events in request.before:
                on.open().store(*events)

            answer = disturbed(on.watch, fault, partial(on.open().try_to_store, *request.events))

            assert answer is not None, "gave up at the first refusal"
            assert bare(answer["events"]) == request.events
            on.assert_sound()
            if not fault.struck:
                break
    assert number > 0


@pytest.mark.parametrize(("code", "status"), [("ThrottlingException", 400), ("InternalServerError", 500)])
def test_an_error_that_does_not_pass_is_raised_and_nothing_is_stored(trial: Trials, code: str, status: int) -> None:
    for number in numbers():
        with trial() as on:
            request, fault = first_event(), Refused(number, code, status=status, for_ever=True)

            answer = disturbed(on.watch, fault, partial(on.open().try_to_store, *request.events))

            if not fault.struck:
                break
            assert answer is None or on.stored(), "acknowledged and lost"
            on.assert_sound()
    assert number > 0


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "ResourceNotFoundException"])
@pytest.mark.parametrize("operation", ["store_events", "get_aggregate_events", "get_all_events"])
def test_what_no_caller_can_mend_is_raised_at_once(trial: Trials, operation: Any, code: str) -> None:
    aggregate = new_id()
    requests: dict[str, Any] = {
        "store_events": {"events": [event(aggregate, 1)], "requestId": aggregate},
        "get_aggregate_events": {"aggregateId": aggregate},
        "get_all_events": {},
    }
    with trial() as on:
        with on.watch.recording(Refused(0, code)) as calls, pytest.raises(ClientError, match=code):
            on.open().call(operation, **requests[operation])
        assert [call.attempts for call in calls] == [1]
        assert not on.stored()


PASSING = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")
"""Reasons for which DynamoDB cancels a transaction that may succeed a moment later (API_TransactWriteItems)."""


class Cancelled(Disturbance):
    """Cancels the first transaction that writes, for one reason at one of its items."""

    def __init__(self, reason: str, item: int) -> None:
        self._reason, self._item = reason, item
        self.items = 0

    def before_sending(self, call: Call, request: Any, send: Any) -> Any:
        if call.operation != "TransactWriteItems" or self.items:
            return None
        self.items = len(call.parameters["TransactItems"])
        reasons = [{"Code": self._reason if n == self._item else "None"} for n in range(self.items)]
        return faults.error_answer(request, "TransactionCanceledException", CancellationReasons=reasons)


@pytest.mark.parametrize("reason", PASSING)
def test_a_transaction_cancelled_for_contention_is_tried_again(trial: Trials, reason: str) -> None:
    for item in numbers():
        with trial() as on:
            request, cancelled = events_of_several_aggregates(), Cancelled(reason, item)
            for events in request.before:
                on.open().store(*events)

            answer = disturbed(on.watch, cancelled, partial(on.open().try_to_store, *request.events))

            assert answer is not None
            assert bare(answer["events"]) == request.events
            on.assert_sound()
            if item >= cancelled.items:
                break


class Unseen(Disturbance):
    """The answer of the first write is lost, whether it took effect or not; the SDK's next attempt is refused.

    By another transaction, or because DynamoDB knows the request token with other parameters: it says so for 10
    minutes, for as long as it keeps the token (API_TransactWriteItems, November 2026).
    """

    def __init__(self, code: str, *, took_effect: bool) -> None:
        self._code, self._took_effect = code, took_effect
        self._write: int | None = None

    def before_sending(self, call: Call, request: Any, send: Any) -> Any:
        if call.operation not in ("PutItem", "TransactWriteItems") or self._write not in (None, call.number):
            return None
        self._write = call.number
        if call.attempts == 1:
            if self._took_effect:
                send(request)
            raise ConnectionClosedError(endpoint_url=request.url)
        if self._code != "TransactionConflict" and call.operation == "TransactWriteItems":
            return faults.error_answer(request, self._code)
        if call.operation == "PutItem":
            return faults.error_answer(request, "TransactionConflictException")
        reasons = [{"Code": "TransactionConflict"} for _ in call.parameters["TransactItems"]]
        return faults.error_answer(request, "TransactionCanceledException", CancellationReasons=reasons)


@pytest.mark.parametrize("took_effect", [True, False], ids=["took effect", "did not"])
@pytest.mark.parametrize("code", ["TransactionConflict", "IdempotentParameterMismatchException"])
@pytest.mark.parametrize("make_request", REQUESTS, ids=lambda request: request.__name__)
def test_an_append_whose_outcome_is_unknown_is_stored_once_and_answered(
    trial: Trials, make_request: Callable[[], Request], code: str, took_effect: bool
) -> None:
    with trial() as on:
        request = make_request()
        for events in request.before:
            on.open().store(*events)

        with on.watch.recording(Unseen(code, took_effect=took_effect)):
            stored = on.open().store(*request.events)

        assert bare(stored) == request.events
        assert ids_of(stored) == stored_ids(on, request.events)
        on.assert_sound()


@pytest.mark.parametrize("reason", ["ItemCollectionSizeLimitExceeded", "ValidationError", "AccessDenied"])
def test_a_transaction_cancelled_for_good_is_raised(trial: Trials, reason: str) -> None:
    with trial() as on:
        cancelled, aggregate = Cancelled(reason, 0), new_id()
        outcome = disturbed(on.watch, cancelled, lambda: on.open().try_to_store(*history(aggregate, 2)))
        assert (outcome is None) is bool(cancelled.items)
        on.assert_sound()


class Unprocessed(Disturbance):
    """BatchGetItem leaves keys unprocessed: all but the first of each answer, or all keys of the first answers."""

    def __init__(self, empty_answers: int) -> None:
        self._empty_answers = empty_answers

    def after_answer(self, call: Call) -> None:
        if call.operation != "BatchGetItem":
            return
        kept = 1 if self._empty_answers <= 0 else 0
        self._empty_answers -= 1
        for table, request in call.parameters["RequestItems"].items():
            keys = request["Keys"]
            if keys[kept:]:
                found = call.answer["Responses"].get(table, [])
                first = [item for item in found if keys[:kept] and all(item[k] == v for k, v in keys[0].items())]
                call.answer["Responses"][table] = first
                call.answer["UnprocessedKeys"] = {table: {**request, "Keys": keys[kept:]}}


@pytest.mark.parametrize("empty_answers", [0, 1, 3])
def test_keys_that_dynamodb_leaves_unprocessed_are_asked_for_again(trial: Trials, empty_answers: int) -> None:
    with trial() as on:
        aggregates = [new_id() for _ in range(5)]
        on.open().store(*(event(aggregate, 1) for aggregate in aggregates))
        request = [event(aggregate, 2, n=n) for n, aggregate in enumerate(aggregates)]

        with on.watch.recording(Unprocessed(empty_answers)):
            stored = on.open().store(*request, request_id="the request")
        with on.watch.recording(Unprocessed(empty_answers)):
            assert ids_of(on.open().store(*request, request_id="the request")) == ids_of(stored)

        on.assert_sound()


class Hidden(Disturbance):
    """One version of every aggregate is missing from the first answers of DynamoDB, strongly consistent ones too.

    So it may look while a transaction commits: reads of several items are only read-committed against it.
    """

    def __init__(self, version: int, answers: int) -> None:
        self._version, self._answers = {"N": str(version)}, answers

    def after_answer(self, call: Call) -> None:
        if call.operation not in ("Query", "BatchGetItem") or self._answers <= 0:
            return
        self._answers -= 1
        if "Items" in call.answer:
            call.answer["Items"] = self._seen(call.answer["Items"])
        for table, items in call.answer.get("Responses", {}).items():
            call.answer["Responses"][table] = self._seen(items)

    def _seen(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [item for item in items if item.get("aggregateVersion") != self._version]


@pytest.mark.parametrize("answers", [1, 2, 3])
@pytest.mark.parametrize("version", [2, 3])
def test_an_event_is_never_shown_without_those_before_it(trial: Trials, version: int, answers: int) -> None:
    with trial() as on:
        aggregate = new_id()
        on.open().store(event(aggregate, 1))
        on.open().store(*history(aggregate, 3, first=2))

        with on.watch.recording(Hidden(version, answers)):
            page = on.open().call("get_aggregate_events", aggregateId=aggregate)

        shown = versions(page["events"])
        assert shown == [1, 2, 3, 4][: len(shown)]
        assert len(shown) >= version - 1


@pytest.mark.parametrize("answers", [1, 2, 3])
def test_a_repeated_request_that_sees_a_part_of_what_it_stored_is_no_conflict(trial: Trials, answers: int) -> None:
    with trial() as on:
        request = [event(new_id(), 1), event(new_id(), 1)]
        second = [event(request[0]["aggregateId"], 2), event(request[1]["aggregateId"], 2), event(new_id(), 1)]
        on.open().store(*request)
        stored = on.open().store(*second, request_id="the request")

        with on.watch.recording(Hidden(2, answers)):
            again = on.open().store(*second, request_id="the request")

        assert ids_of(again) == ids_of(stored)

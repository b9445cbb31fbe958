"""Every AWS call that an operation makes, disturbed in every way, one at a time; then the caller's retry.

Nothing may be lost, doubled, reordered or half-visible. What is stored is read behind the store's back. A pattern's
pipeline (`Harness.settle`) is disturbed like an operation of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError

from lambdas.eventstore.retry import OutOfTime
from tests.support import faults
from tests.support.aws_calls import Call, Disturbance, Watch
from tests.support.examples import Event, bare, event, history, new_id, versions
from tests.support.faults import Crash, Fault, Refused
from tests.support.harness import Environment, Harness
from tests.support.subjects import InProcess
from tools.discovery import Pattern

FAILURES = (Crash, BotoCoreError, ClientError, OutOfTime)
"""What may leave an operation whose AWS calls are disturbed, besides answers."""


@dataclass
class Request:
    """A request, and what must be stored before it."""

    events: list[Event]
    before: list[list[Event]] = field(default_factory=list)


def first_event() -> Request:
    return Request([event(new_id(), 1, n=1)])


def later_event() -> Request:
    aggregate = new_id()
    return Request([event(aggregate, 3, n=3)], [history(aggregate, 2)])


def events_of_several_aggregates() -> Request:
    old, new, third = new_id(), new_id(), new_id()
    mixed = [event(new, 1, n=1), event(old, 2, n=2), event(third, 1, n=3), event(new, 2, n=4), event(old, 3, n=5)]
    return Request(mixed, [history(old, 1)])


REQUESTS = (first_event, later_event, events_of_several_aggregates)


@dataclass
class Trial:
    """A fresh store on which one fault strikes."""

    harness: Harness
    environment: Environment
    watch: Watch
    sheet: dict[str, Any]

    def open(self) -> InProcess:
        """As a new invocation would find it: nothing is remembered from before."""
        return InProcess(self.harness.open(self.environment), self.sheet, self.harness, self.environment)

    def stored(self) -> Counter[tuple[str, int]]:
        """How often each version of each aggregate is stored."""
        return Counter((event["aggregateId"], event["aggregateVersion"]) for event in self.stored_events())

    def stored_events(self) -> list[Event]:
        return self.harness.stored(self.environment)

    def assert_sound(self) -> None:
        """Each stored event once, each aggregate without a hole, and the log the same events in an order that fits."""
        stored = self.stored()
        assert set(stored.values()) <= {1}, f"stored twice: {stored}"
        subject = self.open()
        log = self.settled_log()
        assert Counter((event["aggregateId"], event["aggregateVersion"]) for event in log) == stored
        for aggregate in {aggregate for aggregate, _ in stored}:
            expected = list(range(1, 1 + sum(1 for other, _ in stored if other == aggregate)))
            assert versions([event for event in log if event["aggregateId"] == aggregate]) == expected
            assert versions(subject.aggregate(aggregate)) == expected
        ids = {(event["aggregateId"], event["aggregateVersion"]): event["eventId"] for event in self.stored_events()}
        assert {(event["aggregateId"], event["aggregateVersion"]): event["eventId"] for event in log} == ids
        if self.sheet["guarantees"]["dense_offsets"]:
            assert [event["offset"] for event in log] == [str(n) for n in range(1, len(log) + 1)]

    def settled_log(self) -> list[Event]:
        self.harness.settle(self.environment)
        return self.open().tail(None)[0]


Trials = Callable[[], Any]


@pytest.fixture
def trial(harness: Harness, watch: Watch, each_pattern: Pattern) -> Callable[[], Any]:
    @contextmanager
    def on_a_fresh_store() -> Iterator[Trial]:
        environment = harness.fresh()
        try:
            yield Trial(harness, environment, watch, each_pattern.sheet)
        finally:
            harness.discard(environment)

    return on_a_fresh_store


@pytest.mark.parametrize("with_id", [True, False], ids=["with request id", "without"])
@pytest.mark.parametrize("make_request", REQUESTS, ids=lambda request: request.__name__)
@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_an_append_survives_a_fault_at_each_of_its_calls(
    trial: Trials, kind: type[Fault], make_request: Callable[[], Request], with_id: bool
) -> None:
    for number in numbers():
        with trial() as on:
            if not append_with(on, kind(number), make_request(), with_id):
                break
    assert number > 0, "the append made no AWS call"


def append_with(on: Trial, fault: Fault, request: Request, with_id: bool) -> bool:
    """Whether there was a call for the fault to strike."""
    request_id = "the request" if with_id else None
    for events in request.before:
        on.open().store(*events)
    before = on.stored()
    wanted = Counter((event["aggregateId"], event["aggregateVersion"]) for event in request.events)

    answer = disturbed(on.watch, fault, lambda: on.open().try_to_store(*request.events, request_id=request_id))

    stored = on.stored()
    assert stored in (before, before + wanted), "half of the request is stored"
    took_effect = stored == before + wanted
    if answer is not None:
        assert "events" in answer, f"the request was refused because of the fault: {answer}"
        assert took_effect, "acknowledged and lost"
        assert bare(answer["events"]) == request.events
        assert ids_of(answer["events"]) == stored_ids(on, request.events)

    first_ids = stored_ids(on, request.events)
    retried = on.open().try_to_store(*request.events, request_id=request_id)
    if took_effect and not with_id:
        assert retried["error"]["code"] == "VersionConflict", "nothing tells this from another request"
    else:
        assert bare(retried["events"]) == request.events
        assert ids_of(retried["events"]) == stored_ids(on, request.events)
    if took_effect:
        assert stored_ids(on, request.events) == first_ids, "the retry changed what was stored"
    assert on.stored() == before + wanted
    on.assert_sound()
    return fault.struck


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_a_conflict_stays_one_whatever_happens_to_its_calls(trial: Trials, kind: type[Fault]) -> None:
    for number in numbers():
        with trial() as on:
            taken, free = new_id(), new_id()
            on.open().store(*history(taken, 2))
            before, fault = on.stored(), kind(number)

            request = (event(free, 1), event(taken, 2))
            answer = disturbed(on.watch, fault, lambda on=on, request=request: on.open().try_to_store(*request))

            assert answer is None or answer["error"]["currentVersion"] == 2
            assert on.stored() == before
            on.assert_sound()
            if not fault.struck:
                break
    assert number > 0


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("operation", ["get_aggregate_events", "get_all_events"])
def test_a_read_under_a_fault_is_right_or_fails(trial: Trials, kind: type[Fault], operation: Any) -> None:
    with trial() as on:
        aggregate = new_id()
        stored = [event for n in (1, 4) for event in on.open().store(*history(aggregate, 3, first=n))]
        on.settled_log()
        request = {"aggregateId": aggregate} if operation == "get_aggregate_events" else {}
        for number in numbers():
            fault = kind(number)
            answer = disturbed(on.watch, fault, lambda: on.open().call(operation, **request))
            assert answer is None or ids_of(answer["events"]) == ids_of(stored)
            if not fault.struck:
                break
        on.assert_sound()
    assert number > 0


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_the_way_into_the_log_survives_a_fault_at_each_of_its_calls(trial: Trials, kind: type[Fault]) -> None:
    for number in numbers():
        with trial() as on:
            ann, josh = new_id(), new_id()
            on.open().store(*history(ann, 3))
            on.settled_log()
            on.open().store(event(josh, 1), event(ann, 4))
            on.open().store(event(josh, 2))
            fault = kind(number)

            disturbed(on.watch, fault, lambda on=on: on.harness.settle(on.environment))

            on.assert_sound()
            if not fault.struck:
                break


THROTTLED = ("ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded")
SERVER_ERRORS = (("InternalServerError", 500), ("ServiceUnavailable", 503))


@pytest.mark.parametrize(("code", "status"), [*((code, 400) for code in THROTTLED), *SERVER_ERRORS])
def test_an_append_outlasts_an_error_that_passes(trial: Trials, code: str, status: int) -> None:
    for number in numbers():
        with trial() as on:
            request, fault = events_of_several_aggregates(), Refused(number, code, status=status)
            for events in request.before:
                on.open().store(*events)

            answer = disturbed(on.watch, fault, lambda on=on, request=request: on.open().try_to_store(*request.events))

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

            answer = disturbed(on.watch, fault, lambda on=on, request=request: on.open().try_to_store(*request.events))

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

            answer = disturbed(
                on.watch, cancelled, lambda on=on, request=request: on.open().try_to_store(*request.events)
            )

            assert answer is not None
            assert bare(answer["events"]) == request.events
            on.assert_sound()
            if item >= cancelled.items:
                break


class StoredUnseenThenBusy(Disturbance):
    """The first write takes effect and its answer is lost; the SDK's next attempt meets another transaction."""

    def __init__(self) -> None:
        self._write: int | None = None

    def before_sending(self, call: Call, request: Any, send: Any) -> Any:
        if call.operation not in ("PutItem", "TransactWriteItems") or self._write not in (None, call.number):
            return None
        self._write = call.number
        if call.attempts == 1:
            send(request)
            raise ConnectionClosedError(endpoint_url=request.url)
        if call.operation == "PutItem":
            return faults.error_answer(request, "TransactionConflictException")
        reasons = [{"Code": "TransactionConflict"} for _ in call.parameters["TransactItems"]]
        return faults.error_answer(request, "TransactionCanceledException", CancellationReasons=reasons)


@pytest.mark.parametrize("make_request", REQUESTS, ids=lambda request: request.__name__)
def test_an_append_that_was_stored_unseen_is_recognised_after_contention(
    trial: Trials, make_request: Callable[[], Request]
) -> None:
    with trial() as on:
        request = make_request()
        for events in request.before:
            on.open().store(*events)

        with on.watch.recording(StoredUnseenThenBusy()):
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


def numbers() -> Iterator[int]:
    """0, 1, 2 … but no endless loop, should an operation make ever more calls."""
    yield from range(60)
    raise AssertionError("60 calls and no end")


def disturbed(watch: Watch, disturbance: Disturbance, operation: Callable[[], Any]) -> Any:
    """What the operation answers; None if it fails, as it may under a fault."""
    try:
        with watch.recording(disturbance):
            return operation()
    except FAILURES:
        return None


def ids_of(events: list[Event]) -> list[str]:
    return [event["eventId"] for event in events]


def stored_ids(on: Trial, events: list[Event]) -> list[str | None]:
    ids = {(event["aggregateId"], event["aggregateVersion"]): event["eventId"] for event in on.stored_events()}
    return [ids.get((event["aggregateId"], event["aggregateVersion"])) for event in events]

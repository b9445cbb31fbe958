"""Push: what arrives where, in which order, and what becomes of what a target refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import jsonschema
import pytest

from lambdas.eventstore import Append, NewEvent
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.projections import ReadModel, Runner
from lambdas.projections.push import (
    BATCH_BYTES,
    CloudEvent,
    Push,
    Refused,
    Target,
    TargetFailed,
    cloud_event,
    dead_letter_queue,
    target_of,
)
from testkit import faults
from testkit.aws_calls import Call, Disturbance, Watch, answer
from testkit.faults import Fault
from testkit.projections import all_events, arn_of, assert_delivered, queue, received
from testkit.projections import read_model as empty_read_model
from testkit.trials import disturbed, numbers
from tests.projections.test_runner import LATE_SECONDS, store_events

SOURCE = "/orders"
BUS = "arn:aws:events:us-east-1:123456789012:event-bus/orders"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:orders"

FORMAT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
        "sequence": {"type": "string", "minLength": 1},
        "typeversion": {"type": "integer"},
        "data": {},
    },
    "patternProperties": {"^[a-z0-9]+$": {}},
    "additionalProperties": False,
}
"""What CloudEvents 1.0 demands of an event in JSON: the required attributes, and names of letters and digits."""


class Takes(Target):
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[CloudEvent]] = []

    def send(self, events: Sequence[CloudEvent]) -> Refused:
        self.batches.append(list(events))
        return {}

    @property
    def taken(self) -> list[CloudEvent]:
        return [event for batch in self.batches for event in batch]


def pushing(
    store: MemoryEventStore,
    model: ReadModel,
    target: Target,
    letters: Callable[[CloudEvent, str], None] = lambda event, reason: pytest.fail(reason),
    types: frozenset[str] | None = None,
    late_seconds: float = 0.0,
) -> Runner:
    push = Push("orders", target, letters, SOURCE, types)
    return Runner(store, model, push, deliver=push.deliver, late_seconds=late_seconds)


def test_an_event_is_a_cloud_event() -> None:
    store = MemoryEventStore(now=lambda: 1_764_061_200.5)
    [stored] = store.store_events(Append((NewEvent("a/ü", 1, "PAID", 3, {"amount": 5}),)))
    event = cloud_event(stored, SOURCE)
    jsonschema.validate(event, FORMAT)
    assert event == {
        "specversion": "1.0",
        "id": stored.event_id,
        "source": "/orders/a%2F%C3%BC",
        "type": "PAID",
        "subject": "a/ü",
        "time": "2025-11-25T09:00:00.500Z",
        "sequence": "0000000000000001",
        "typeversion": 3,
        "datacontenttype": "application/json",
        "data": {"amount": 5},
    }


@pytest.mark.parametrize(("fifo", "late_seconds"), [(True, 0.0), (False, LATE_SECONDS)], ids=["fifo", "late events"])
@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_every_event_arrives_in_the_order_of_its_aggregate_though_a_fault_strikes_any_call(
    watch: Watch, kind: type[Fault], fifo: bool, late_seconds: float
) -> None:
    for number in numbers():
        store, fault = MemoryEventStore(), kind(number)
        with empty_read_model() as model, queue(fifo=fifo) as url:
            store_events(store, "josh", 2)
            store_events(store, "ann", 1)
            runner = pushing(store, model, target_of(arn_of(url), SOURCE), late_seconds=late_seconds)
            disturbed(watch, fault, runner.run)
            store_events(store, "josh", 1, first=3)
            again = pushing(store, model, target_of(arn_of(url), SOURCE), late_seconds=late_seconds)
            assert again.run().caught_up
            assert_delivered(received(url), all_events(store))
        if not fault.struck:
            break
    assert number > 4


def test_a_checkpoint_that_moves_first_is_found(watch: Watch) -> None:
    class Hasty(Runner):
        def _write(self, batch: Any, *rest: Any) -> bool:
            deliver, self._deliver = self._deliver, lambda events: None
            written = super()._write(batch, *rest)
            deliver(batch.events)
            self._deliver = deliver
            return written

    store, target = MemoryEventStore(), Takes()
    store_events(store, "josh", 2)
    with empty_read_model() as model:
        push = Push("orders", target, lambda event, reason: None, SOURCE)
        for number in range(4):
            hasty = Hasty(store, model, push, deliver=push.deliver)
            disturbed(watch, faults.CrashAfter(number), hasty.run)
        Hasty(store, model, push, deliver=push.deliver).run()
    with pytest.raises(AssertionError):
        assert_delivered(target.taken, all_events(store))


def test_a_batch_has_one_event_of_an_aggregate_and_no_more_bytes_than_a_target_takes(model: ReadModel) -> None:
    store, target = MemoryEventStore(), Takes()
    for aggregate in range(14):
        text = "é" * 15_000 if aggregate < 4 else ""  # six bytes each, as JSON in ASCII
        store.store_events(Append(tuple(NewEvent(f"{aggregate}", v, "E", 1, {"text": text}) for v in (1, 2))))
    pushing(store, model, target).run()
    assert_delivered(target.taken, all_events(store))
    for batch in target.batches:
        assert len({event["source"] for event in batch}) == len(batch) <= 10
        assert len(batch) == 1 or sum(len(json.dumps(event)) for event in batch) <= BATCH_BYTES
    assert len(target.batches) < 28


def test_only_the_types_that_are_asked_for_are_delivered(model: ReadModel) -> None:
    store, target = MemoryEventStore(), Takes()
    store.store_events(Append((NewEvent("a", 1, "OPENED", 1, {}), NewEvent("a", 2, "PAID", 1, {}))))
    pushing(store, model, target, types=frozenset({"PAID"})).run()
    assert [event["type"] for event in target.taken] == ["PAID"]


class Answers(Disturbance):
    """Stands for a service: answers each call with the next of these, and the last one again and again."""

    def __init__(self, *answers: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._answers, self._headers = list(answers), headers or {}
        self.calls: list[dict[str, Any]] = []

    def before_sending(self, call: Call, request: Any, send: Any) -> Any:
        if call.service not in ("events", "lambda"):
            return None
        self.calls.append(call.parameters)
        content = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        made = answer(request, 200, self._headers, json.dumps(content).encode())
        made.raw = BytesIO(made.content)
        return made


def test_a_bus_gets_the_cloud_event_as_detail(model: ReadModel, watch: Watch) -> None:
    store = MemoryEventStore()
    [stored] = store_events(store, "josh", 1)
    bus = Answers({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})
    with watch.recording(bus):
        pushing(store, model, target_of(BUS, SOURCE)).run()
    [entry] = bus.calls[0]["Entries"]
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (BUS, SOURCE, "COUNTED")
    assert json.loads(entry["Detail"]) == cloud_event(stored, SOURCE)


def test_what_a_bus_takes_later_is_delivered_later_and_what_it_refuses_is_a_dead_letter(
    model: ReadModel, watch: Watch
) -> None:
    store = MemoryEventStore()
    store_events(store, "josh", 1)
    [refused] = store_events(store, "ann", 1)
    later = {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}]}
    never = {"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"ErrorCode": "MalformedDetail"}]}
    bus = Answers(later, never)
    with queue(fifo=False) as url:
        letters = dead_letter_queue(url)
        with watch.recording(bus), pytest.raises(TargetFailed, match="ThrottlingException"):
            pushing(store, model, target_of(BUS, SOURCE), letters).run()
        with watch.recording(bus):
            assert pushing(store, model, target_of(BUS, SOURCE), letters).run().caught_up
        [letter] = received(url)
    assert letter == {"reason": "MalformedDetail: ", "event": cloud_event(refused, SOURCE)}
    assert len(bus.calls) == 2


def test_a_function_gets_one_event_at_a_time_and_what_it_fails_on_again_and_again_is_a_dead_letter(
    model: ReadModel, watch: Watch
) -> None:
    store = MemoryEventStore()
    stored = store_events(store, "josh", 2)
    takes, fails = Answers({}), Answers({"errorMessage": "no"}, headers={"X-Amz-Function-Error": "Unhandled"})
    with watch.recording(takes):
        pushing(store, model, target_of(FUNCTION, SOURCE)).run()
    assert [json.loads(it["Payload"]) for it in takes.calls] == [cloud_event(event, SOURCE) for event in stored]

    store_events(store, "josh", 1, first=3)
    with queue(fifo=False) as url:
        with watch.recording(fails):
            pushing(store, model, target_of(FUNCTION, SOURCE), dead_letter_queue(url)).run()
        [letter] = received(url)
    assert (letter["event"]["sequence"], letter["reason"][:9], len(fails.calls)) == ("0" * 15 + "3", "Unhandled", 3)


@pytest.mark.parametrize("place", ["", "orders", "arn:aws:s3:::orders"])
def test_another_target_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="no event bus"):
        target_of(place, SOURCE)

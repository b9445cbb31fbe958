"""Requests whose events do not fit a page: their payloads are a body, and finding the end of the log stays cheap."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.eventstore.dynamodb.paged_log import MissingPage
from lambdas.eventstore.limits import EVENT_BYTES, REQUEST_BYTES
from lambdas.eventstore.log_first.log import INLINE_BYTES
from testkit.aws_calls import Call, Disturbance, Watch
from testkit.capacity import Cost, cost
from testkit.examples import Event, bare, event, new_id, versions
from testkit.harness import Environment
from testkit.subjects import InProcess

LogItems = Callable[[str], list[dict[str, Any]]]
Reopened = Callable[[], InProcess]


def incompressible(size: int, seed: int = 1) -> str:
    """Any of the characters of ASCII that JSON does not escape; a fifth of them is what compressing saves."""
    return "".join(random.Random(seed).choices([chr(n) for n in range(32, 127) if chr(n) not in '"\\'], k=size))


def largest_request(*last: Event) -> list[Event]:
    sizes = REQUEST_BYTES // 40 - 300
    return [*(event(new_id(), 1, text=incompressible(sizes, seed)) for seed in range(40 - len(last))), *last]


def test_the_largest_request_is_a_small_page_and_a_body_of_several_items(
    fresh_store: InProcess, reopened: Reopened, log_items: LogItems
) -> None:
    request = largest_request()
    fresh_store.store(*request)

    [page] = log_items("pages")
    assert len(page["page"]["B"]) <= INLINE_BYTES
    assert len(log_items("body")) == 3
    assert bare(reopened().tail(None)[0]) == request
    assert bare(reopened().aggregate(request[-1]["aggregateId"])) == request[-1:]


def test_an_append_and_a_read_cost_the_same_behind_the_largest_request(
    fresh_store: InProcess, reopened: Reopened, watch: Watch
) -> None:
    """But for its last event, which the next append reads."""
    ann = new_id()
    fresh_store.store(event(ann, 1))
    fresh_store.store(*largest_request(event(ann, 2)))
    store = reopened()
    with watch.recording() as calls:
        store.aggregate(ann)
    assert cost(calls) == Cost(requests=2, write_units=0, read_units=2)
    with watch.recording() as calls:
        store.store(event(new_id(), 1))
    assert cost(calls) == Cost(requests=5, write_units=2, read_units=3)


class Raced(Disturbance):
    """Somebody else puts a page just before the first one that goes out."""

    def __init__(self, race: Callable[[], object]) -> None:
        self._race: Callable[[], object] | None = race

    def before_sending(self, call: Call, request: Any, send: Any) -> None:
        if self._race and call.parameters.get("Item", {}).get("part") == {"S": "pages"}:
            race, self._race = self._race, None
            race()


def test_a_large_request_that_loses_a_race_stores_its_body_once(
    fresh_store: InProcess, reopened: Reopened, watch: Watch, log_items: LogItems
) -> None:
    request = [event(new_id(), 1, text=incompressible(EVENT_BYTES - 1000))]
    raced = Raced(lambda: reopened().store(event(new_id(), 1)))
    with watch.recording(raced):
        [stored] = fresh_store.store(*request)

    assert stored["offset"] == "2"
    assert len(log_items("body")) == 1
    assert bare(reopened().tail(None)[0])[1:] == request


def test_large_events_are_read_together(fresh_store: InProcess, reopened: Reopened, watch: Watch) -> None:
    aggregate = new_id()
    for version in range(1, 31):
        fresh_store.store(event(aggregate, version, text=incompressible(10_000, version)))
    with watch.recording() as calls:
        read = reopened().page(None, limit=100)

    assert versions(read["events"]) == list(range(1, 31))
    assert [call.operation for call in calls].count("BatchGetItem") <= 3


@pytest.mark.parametrize("operation", ["get_all_events", "get_aggregate_events"])
def test_a_body_that_was_deleted_is_a_failure_and_no_event_without_its_payload(
    fresh_store: InProcess, environment: Environment, dynamodb: Any, log_items: LogItems, operation: Any
) -> None:
    aggregate = new_id()
    fresh_store.store(event(aggregate, 1, text=incompressible(EVENT_BYTES - 1000)))
    [body] = log_items("body")
    key = {name: body[name] for name in ("part", "firstPosition")}
    dynamodb.delete_item(TableName=environment["LOG_TABLE"], Key=key)

    if operation == "get_aggregate_events":
        assert versions(fresh_store.aggregate(aggregate)) == [1], "it is in the table of events"
        event_key = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": "1"}}
        dynamodb.delete_item(TableName=environment["TABLE"], Key=event_key)
    request = {"aggregateId": aggregate} if operation == "get_aggregate_events" else {}
    with pytest.raises(MissingPage, match="which was deleted"):
        fresh_store.call(operation, **request)

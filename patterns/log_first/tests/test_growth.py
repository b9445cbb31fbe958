"""Neither an append nor a read costs more on a long log than on a short one, and what a process knows is not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import Any

from lambdas.eventstore.contract import Append
from lambdas.eventstore.dynamodb.paged_log import page_item
from lambdas.eventstore.events import NewEvent
from lambdas.eventstore.ksuids import LENGTH
from lambdas.eventstore.log_first.log import Request
from testkit.aws_calls import Watch
from testkit.capacity import Cost, cost
from testkit.examples import event, new_id
from testkit.harness import Environment
from testkit.subjects import InProcess

SHORT, LONG = 100, 20_000
EVENTS_OF_A_REQUEST = 10
ITEMS_OF_A_TRANSACTION = 100

Reopened = Callable[[], InProcess]


def test_appends_and_reads_cost_the_same_at_100_and_at_20000_events(
    reopened: Reopened, environment: Environment, dynamodb: Any, watch: Watch
) -> None:
    def costs(length: int) -> dict[str, Cost]:
        fill(dynamodb, environment, up_to=length)
        aggregate = new_id()
        reopened().store(event(new_id(), 1))  # It puts the events of the last page that `fill` has left out.
        return {
            "first event": measured(lambda store: store.store(event(aggregate, 1))),
            "later event": measured(lambda store: store.store(event(aggregate, 2))),
            "aggregate": measured(lambda store: store.aggregate(aggregate)),
            "page": measured(lambda store: store.page(str(length // 2), 50)),
            "nothing new": measured(lambda store: store.page(str(length + 3), 50)),
        }

    def measured(step: Callable[[InProcess], object]) -> Cost:
        store = reopened()
        with watch.recording() as calls:
            step(store)
        return cost(calls)

    short, long = costs(SHORT), costs(LONG)

    assert long == short
    assert long["first event"] == long["later event"] == Cost(requests=5, write_units=2, read_units=3)
    assert long["aggregate"] == Cost(requests=2, write_units=0, read_units=2)
    assert long["nothing new"] == Cost(requests=1, write_units=0, read_units=1)


def test_a_process_that_has_appended_last_reads_the_end_of_the_log_and_nothing_else(
    fresh_store: InProcess, watch: Watch
) -> None:
    ann, josh = new_id(), new_id()
    fresh_store.store(event(josh, 1))
    fresh_store.store(event(ann, 1))
    with watch.recording() as calls:
        fresh_store.store(event(ann, 2), event(josh, 2))

    assert cost(calls) == Cost(requests=4, write_units=3, read_units=1)


def test_what_a_process_knows_of_an_aggregate_ends_with_the_next_page_of_another(
    fresh_store: InProcess, reopened: Reopened, watch: Watch
) -> None:
    aggregate = new_id()
    fresh_store.store(event(aggregate, 1))
    assert len(fresh_store.aggregate(aggregate)) == 1
    reopened().store(event(aggregate, 2))

    assert fresh_store.try_to_store(event(aggregate, 2))["error"]["currentVersion"] == 2
    reopened().store(event(new_id(), 1))
    with watch.recording() as calls:
        fresh_store.store(event(aggregate, 3))
    assert cost(calls) == Cost(requests=5, write_units=2, read_units=3)


def test_a_process_that_appends_alone_looks_for_pending_requests_at_every_tenth_and_takes_three_read_units_at_most(
    fresh_store: InProcess, environment: Environment, watch: Watch
) -> None:
    looked = []
    for number in range(1, 31):
        with watch.recording() as calls:
            fresh_store.store(event(new_id(), 1))
        assert (cost(calls).write_units, cost(calls).read_units) <= (2, 3)
        if any(call.parameters["TableName"] == environment["PENDING_TABLE"] for call in calls):
            looked.append(number)

    assert looked == [10, 20, 30]


def fill(dynamodb: Any, environment: Environment, up_to: int) -> None:
    """The log as requests of ten events each leave it; not their events in the other table."""
    query = {"TableName": environment["LOG_TABLE"], "KeyConditionExpression": "part = :pages", "Limit": 1}
    values = {":pages": {"S": "pages"}}
    last = dynamodb.query(**query, ExpressionAttributeValues=values, ScanIndexForward=False)["Items"]
    first = int(last[0]["firstPosition"]["N"]) + int(last[0]["events"]["N"]) if last else 1
    items = []
    while first <= up_to:
        size = min(EVENTS_OF_A_REQUEST, up_to + 1 - first)
        items.append(page(first, size))
        first += size
    for start in range(0, len(items), ITEMS_OF_A_TRANSACTION):
        puts = [
            {"Put": {"TableName": environment["LOG_TABLE"], "Item": item}}
            for item in items[start : start + ITEMS_OF_A_TRANSACTION]
        ]
        dynamodb.transact_write_items(TransactItems=puts)


def page(first: int, size: int) -> dict[str, Any]:
    events = [NewEvent.from_wire(event(f"filler-{first + n:05}", 1)) for n in range(size)]
    ids = [f"{position:0{LENGTH}}" for position, _ in zip(count(first), events, strict=False)]
    entries = Request(Append(tuple(events))).entries(ids)
    return page_item(first, list(map(json.dumps, entries)))

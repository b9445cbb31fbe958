"""Neither an append nor a page costs more on a long log than on a short one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lambdas.eventstore.contract import Append
from lambdas.eventstore.dynamodb.items import to_item
from lambdas.eventstore.events import NewEvent
from testkit.aws_calls import Watch
from testkit.capacity import Cost, cost
from testkit.examples import event, new_id
from testkit.harness import Environment
from testkit.subjects import InProcess

SHORT, LONG = 100, 20_000
ITEMS_OF_A_TRANSACTION = 100

Step = Callable[[], object]


def test_appends_and_pages_cost_the_same_at_100_and_at_20000_events(
    fresh_store: InProcess, cold_store: InProcess, environment: Environment, dynamodb: Any, watch: Watch
) -> None:
    def costs(length: int) -> dict[str, Cost]:
        fill(dynamodb, environment, up_to=length)
        aggregate = new_id()
        return {
            "first event": measured(lambda: fresh_store.store(event(aggregate, 1))),
            "second event, remembering the first": measured(lambda: fresh_store.store(event(aggregate, 2))),
            "third event, in a cold process": measured(lambda: cold_store.store(event(aggregate, 3))),
            "page": measured(lambda: fresh_store.page(str(length // 2), 50)),
            "nothing new": measured(lambda: fresh_store.page(str(length + 2), 50)),
        }

    def measured(step: Step) -> Cost:
        with watch.recording() as calls:
            step()
        return cost(calls)

    short, long = costs(SHORT), costs(LONG)

    assert long == short
    assert long["first event"] == Cost(requests=2, write_units=4, read_units=1)
    assert long["second event, remembering the first"] == Cost(requests=2, write_units=4, read_units=1)
    assert long["third event, in a cold process"] == Cost(requests=3, write_units=4, read_units=2)
    assert (long["page"].requests, long["nothing new"]) == (1, Cost(requests=1, write_units=0, read_units=1))


def test_an_append_costs_the_same_behind_the_largest_request(fresh_store: InProcess, watch: Watch) -> None:
    fresh_store.store(*(event(new_id(), 1, text="x" * 20_000) for _ in range(40)))
    with watch.recording() as calls:
        fresh_store.store(event(new_id(), 1))

    assert cost(calls) == Cost(requests=2, write_units=4, read_units=1)


def fill(dynamodb: Any, environment: Environment, up_to: int) -> None:
    """The log as that many requests of one event each leave it; not their events in the other table."""
    query = {"TableName": environment["LOG_TABLE"], "KeyConditionExpression": "logId = :all", "Limit": 1}
    values = {":all": {"S": "all"}}
    last = dynamodb.query(**query, ExpressionAttributeValues=values, ScanIndexForward=False)["Items"]
    first = int(last[0]["logPosition"]["N"]) + 1 if last else 1
    for start in range(first, up_to + 1, ITEMS_OF_A_TRANSACTION):
        positions = range(start, min(start + ITEMS_OF_A_TRANSACTION, up_to + 1))
        puts = [{"Put": {"TableName": environment["LOG_TABLE"], "Item": entry(position)}} for position in positions]
        dynamodb.transact_write_items(TransactItems=puts)


def entry(position: int) -> dict[str, Any]:
    new = NewEvent.from_wire(event(f"filler-{position:05}", 1))
    number = {"N": str(position)}
    place = {"logId": {"S": "all"}, "logKey": number, "logPosition": number, "lastPosition": number}
    return {**to_item(new, f"{position:027}", Append((new,))), **place}

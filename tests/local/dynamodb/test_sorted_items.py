"""Sorted partitions answer as the emulator's own sorting does, whatever was asked before, and touch only a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from local.dynamodb import sorted_items
from tests.local.dynamodb.conftest import Both

KINDS = {
    "S": ["", "1", "10", "2", "a", "é", "\U0001f600"],
    "N": ["-1.5", "1", "1.0", "10", "2", "1e2"],
    "B": ["AQ==", "/w==", "AAA="],
}
"""Sort keys whose order as text is not their order as values, one of them in two forms, and one that is refused."""

AGGREGATES = st.sampled_from(["a", "a", "b"])
INDEXES = st.sampled_from([None, "global", "local", "hash-only"])
COMPARISONS = st.sampled_from(["=", "<", "<=", ">", ">=", "BETWEEN", "begins_with", "<>", ""])


class InTheSameOrder(RuleBasedStateMachine):
    """One table with a sort key of each type in turn, three indexes, and items that are not in all of them."""

    both: Both

    @initialize(kind=st.sampled_from(sorted(KINDS)))
    def create_table(self, kind: str) -> None:
        self.both.reset()
        self.kind = kind
        self.starts: list[dict[str, Any]] = []
        self.both.ask("CreateTable", definition(kind))
        for key in KINDS[kind]:
            item = {"id": {"S": "a"}, "sort": {kind: key}, "kind": {"S": "x"}, "number": {"N": str(1 + len(key))}}
            self.both.ask("PutItem", {"TableName": "table", "Item": item})

    def sort_key(self, data: st.DataObject) -> dict[str, str]:
        kind = data.draw(st.sampled_from([self.kind] * 19 + ["S"]))
        return {kind: data.draw(st.sampled_from(KINDS[kind]))}

    def item(self, data: st.DataObject) -> dict[str, Any]:
        item: dict[str, Any] = {"id": {"S": data.draw(AGGREGATES)}, "sort": self.sort_key(data)}
        if data.draw(st.integers(0, 3)):
            item["kind"] = {"S": data.draw(st.sampled_from(["x", "y"]))}
        if data.draw(st.integers(0, 3)):
            item["number"] = {"N": data.draw(st.sampled_from(["3", "20", "3.0"]))}
        if data.draw(st.integers(0, 4)) == 0:
            item["large"] = {"S": "l" * 390_000}
        return item

    @rule(data=st.data(), change=st.sampled_from(["put", "put", "update", "delete", "change_the_indexes", "roll_back"]))
    def write(self, data: st.DataObject, change: str) -> None:
        getattr(self, change)(data)

    def put(self, data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(["PutItem", "BatchWriteItem", "TransactWriteItems"]))
        for item in [self.item(data) for _ in range(data.draw(st.integers(1, 3)))]:
            put = {"TableName": "table", "Item": item}
            if operation == "PutItem":
                self.both.ask("PutItem", put)
            elif operation == "BatchWriteItem":
                self.both.ask("BatchWriteItem", {"RequestItems": {"table": [{"PutRequest": {"Item": item}}]}})
            else:
                self.both.ask("TransactWriteItems", {"TransactItems": [{"Put": put}]})

    def update(self, data: st.DataObject) -> None:
        """Moves an item in an index, or into or out of it."""
        expression = data.draw(st.sampled_from(["SET #n = :n, kind = :s", "REMOVE #n", "REMOVE kind", "SET n = :n"]))
        values = {":n": {"N": data.draw(st.sampled_from(["3", "7"]))}, ":s": {"S": data.draw(st.sampled_from("xy"))}}
        request = {"TableName": "table", "Key": self.key(data), "UpdateExpression": expression}
        used = {name: value for name, value in values.items() if name in expression}
        if used:
            request["ExpressionAttributeValues"] = used
        if "#n" in expression:
            request["ExpressionAttributeNames"] = {"#n": "number"}
        self.both.ask("UpdateItem", request)

    def delete(self, data: st.DataObject) -> None:
        self.both.ask("DeleteItem", {"TableName": "table", "Key": self.key(data)})

    @rule(data=st.data(), index=INDEXES, comparison=COMPARISONS, forward=st.booleans())
    def query(self, data: st.DataObject, index: str | None, comparison: str, forward: bool) -> None:
        condition, values = self.condition(data, index, comparison)
        request: dict[str, Any] = {
            "TableName": "table",
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ScanIndexForward": forward,
            **self.page(data),
        }
        if "#n" in condition:
            request["ExpressionAttributeNames"] = {"#n": "number"}
        if index:
            request["IndexName"] = index
        if data.draw(st.integers(0, 9)) == 0:
            request["FilterExpression"] = data.draw(
                st.sampled_from(["attribute_exists(kind)", "attribute_exists(", "id = :id"])
            )
        self.follow("Query", request)

    @rule(data=st.data(), index=st.sampled_from([None, None, "global"]), segments=st.sampled_from([0, 0, 2]))
    def scan(self, data: st.DataObject, index: str | None, segments: int) -> None:
        request: dict[str, Any] = {"TableName": "table", **self.page(data)}
        if index:
            request["IndexName"] = index
        if segments:
            request |= {"Segment": 0, "TotalSegments": segments}
        self.follow("Scan", request)

    def change_the_indexes(self, data: st.DataObject) -> None:
        new = {"Create": {**index("later", ("kind", "number")), "Projection": {"ProjectionType": "KEYS_ONLY"}}}
        updates = [new if data.draw(st.booleans()) else {"Delete": {"IndexName": "later"}}]
        defined = definition(self.kind)["AttributeDefinitions"]
        request = {"TableName": "table", "AttributeDefinitions": defined, "GlobalSecondaryIndexUpdates": updates}
        self.both.ask("UpdateTable", request)

    def roll_back(self, data: st.DataObject) -> None:
        """Replaces all items by those from before, or fails earlier."""
        statement = {
            "Statement": "INSERT INTO \"table\" VALUE {'id': 'a', 'sort': ?}",
            "Parameters": [self.sort_key(data)],
        }
        self.both.ask("ExecuteTransaction", {"TransactStatements": [statement]})

    def key(self, data: st.DataObject) -> dict[str, Any]:
        return {"id": {"S": data.draw(AGGREGATES)}, "sort": self.sort_key(data)}

    def page(self, data: st.DataObject) -> dict[str, Any]:
        page: dict[str, Any] = {"ReturnConsumedCapacity": "INDEXES"}
        if limit := data.draw(st.sampled_from([None, 1, 2, 3, 7, 0])):
            page["Limit"] = limit
        if self.starts and data.draw(st.integers(0, 3)) == 0:
            page["ExclusiveStartKey"] = data.draw(st.sampled_from(self.starts))
        return page

    def condition(self, data: st.DataObject, index: str | None, comparison: str) -> tuple[str, dict[str, Any]]:
        partition, sort = KEYS.get(index, ("kind", "number"))
        of_kind = {"kind": ["x", "x", "y"], "id": ["a", "a", "a", "b", "c"]}[partition]
        values: dict[str, Any] = {":p": {"S": data.draw(st.sampled_from(of_kind))}}
        if not comparison or not sort:
            return f"{partition} = :p", values
        operands = [
            self.sort_key(data) if sort == "sort" else {"N": data.draw(st.sampled_from(["2", "3", "4", "20"]))}
            for _ in range(2 if comparison == "BETWEEN" else 1)
        ]
        values |= {f":v{n}": operand for n, operand in enumerate(operands)}
        name = sort if sort == "sort" or data.draw(st.integers(0, 5)) == 0 else "#n"  # "number" itself is reserved
        second = {"BETWEEN": f"{name} BETWEEN :v0 AND :v1", "begins_with": f"begins_with({name}, :v0)"}
        clauses = [f"{partition} = :p", second.get(comparison, f"{name} {comparison} :v0")]
        return " AND ".join(clauses if data.draw(st.integers(0, 4)) else reversed(clauses)), values

    def follow(self, operation: str, request: dict[str, Any]) -> None:
        """Page by page to the end."""
        for _page in range(20):
            answered = self.both.ask(operation, request)
            if "LastEvaluatedKey" not in answered:
                return
            self.starts.append(answered["LastEvaluatedKey"])
            request = {**request, "ExclusiveStartKey": answered["LastEvaluatedKey"]}


KEYS: dict[str | None, tuple[str, str]] = {
    None: ("id", "sort"),
    "global": ("kind", "number"),
    "local": ("id", "number"),
    "hash-only": ("kind", ""),
}


def index(name: str, keys: tuple[str, str]) -> dict[str, Any]:
    schema = [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True) if key]
    return {"IndexName": name, "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}


def definition(kind: str) -> dict[str, Any]:
    types = {"id": "S", "sort": kind, "kind": "S", "number": "N"}
    return {
        "TableName": "table",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": index("", ("id", "sort"))["KeySchema"],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],
        "GlobalSecondaryIndexes": [index("global", KEYS["global"]), index("hash-only", KEYS["hash-only"])],
        "LocalSecondaryIndexes": [index("local", KEYS["local"])],
    }


def test_the_same_requests_have_the_same_answers(both: Both) -> None:
    machine: type[InTheSameOrder] = type("Machine", (InTheSameOrder,), {"both": both})
    with patch.object(sorted_items, "_FIRST_TRY", 2):
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )


@pytest.fixture
def stored(both: Both) -> Iterator[Both]:
    """2,000 items in one partition of the table and of an index."""
    both.reset()
    both.ask("CreateTable", definition("N"))
    for n in range(1, 2001):
        item = {"id": {"S": "a"}, "sort": {"N": str(n)}, "kind": {"S": "x"}, "number": {"N": str(n)}}
        for dynamodb in (both.changed, both.original):
            dynamodb._set_item(dynamodb._tables["table"], "a", str(n), item)
    yield both
    both.reset()


QUERY = {"KeyConditionExpression": "id = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}}
PAGES = {
    "the newest": ("Query", {**QUERY, "ScanIndexForward": False}),
    "a page from the middle": (
        "Query",
        {
            "KeyConditionExpression": "id = :p AND sort >= :n",
            "ExpressionAttributeValues": {":p": {"S": "a"}, ":n": {"N": "1000"}},
        },
    ),
    "behind a start key": ("Query", {**QUERY, "ExclusiveStartKey": {"id": {"S": "a"}, "sort": {"N": "1000"}}}),
    "of an index": (
        "Query",
        {
            "IndexName": "global",
            "KeyConditionExpression": "kind = :p AND #n > :n",
            "ExpressionAttributeNames": {"#n": "number"},
            "ExpressionAttributeValues": {":p": {"S": "x"}, ":n": {"N": "1000"}},
        },
    ),
    "of a scan": ("Scan", {"ExclusiveStartKey": {"id": {"S": "a"}, "sort": {"N": "1000"}}}),
}


@pytest.mark.parametrize(("operation", "request_"), PAGES.values(), ids=list(PAGES))
def test_a_page_costs_what_is_on_it(stored: Both, operation: str, request_: dict[str, Any]) -> None:
    request = {"TableName": "table", "Limit": 10, **request_}
    stored.ask(operation, request)  # sorts
    ranked = evaluated = 0
    rank, size = stored.changed._index_order_value, stored.changed._evaluate_condition

    def counting_ranks(*arguments: Any) -> Any:
        nonlocal ranked
        ranked += 1
        return rank(*arguments)

    def counting_evaluations(*arguments: Any, **named: Any) -> Any:
        nonlocal evaluated
        evaluated += 1
        return size(*arguments, **named)

    with (
        patch.object(stored.changed, "_index_order_value", counting_ranks),
        patch.object(stored.changed, "_evaluate_condition", counting_evaluations),
    ):
        assert stored.ask(operation, request)["Count"] == 10
    assert ranked + evaluated < 100

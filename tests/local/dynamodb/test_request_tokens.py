"""A transaction that is sent twice with one token is answered twice; with other parameters it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from testkit.examples import EDGES, numbers
from tests.local.dynamodb.conftest import Both, answer

WRITTEN = ["1", "1.0", "0.10", "1e2", "-0", *map(str, [*EDGES, *numbers(20)])]
"""Numbers as an SDK may write them: DynamoDB has one form for each, which is often another."""


@pytest.fixture
def table(both: Both) -> Iterator[Both]:
    both.reset()
    key = {"AttributeName": "id", "KeyType": "HASH"}
    both.ask(
        "CreateTable",
        {
            "TableName": "table",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [key],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        },
    )
    yield both
    both.reset()


def transaction(number: str, token: str, name: str = "table") -> dict[str, Any]:
    metadata = {"M": {"a": {"L": [{"N": number}, {"NS": [number]}]}}}
    put = {"TableName": name, "Item": {"id": {"S": token}, "metadata": metadata}}
    condition = {"ConditionExpression": "attribute_not_exists(id)"}
    return {"TransactItems": [{"Put": put | condition}], "ClientRequestToken": token, "ReturnConsumedCapacity": "TOTAL"}


@pytest.mark.parametrize("number", WRITTEN)
def test_a_repeated_transaction_is_answered_again_whatever_its_numbers(table: Both, number: str) -> None:
    request = transaction(number, "token")
    original = json.dumps(request)

    first, again, third = (answer(table.changed, "TransactWriteItems", request) for _ in range(3))

    assert (first["status"], again["status"]) == (200, 200), again
    assert again == third
    assert again["ConsumedCapacity"][0]["ReadCapacityUnits"] == 2  # nothing was written
    assert json.dumps(request) == original
    other = answer(table.changed, "TransactWriteItems", transaction("12345", "token"))
    assert other["__type"] == "IdempotentParameterMismatchException"


def test_tokens_are_otherwise_kept_as_they_were(table: Both) -> None:
    arn = "arn:aws:dynamodb:us-east-1:000000000000:table/table"
    for token in ("a", "b"):
        for number, name in (("1", "table"), ("1", arn), ("1", "table"), ("2", "table"), ("1", "another")):
            table.ask("TransactWriteItems", transaction(number, token, name))
    table.ask("TransactWriteItems", {**transaction("1", "a"), "ClientRequestToken": "c"})
    table.ask("TransactWriteItems", {**transaction("1", "d"), "ClientRequestToken": "c"})

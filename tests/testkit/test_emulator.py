"""DynamoDB and SQS in this process answer as on the local AWS, to the same requests in the same order."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

Request = tuple[str, dict[str, Any]]
KEYS = [{"id": {"S": name}, "version": {"N": str(version)}} for name in ("ann", "josh") for version in (1, 2, 3, 4)]


@pytest.fixture
def clients(aws: None, emulated: None) -> tuple[Any, Any]:
    """One of this process, and one of the local AWS."""
    return boto3.client("dynamodb"), on_the_local_aws("dynamodb")


def on_the_local_aws(service: Any) -> Any:
    return boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"])


@pytest.fixture
def table(clients: tuple[Any, Any]) -> Iterator[str]:
    name = f"same-{uuid4().hex}"
    schema = [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "version", "KeyType": "RANGE"}]
    index = [{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "version", "KeyType": "RANGE"}]
    for client in clients:
        client.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=schema,
            AttributeDefinitions=[
                {"AttributeName": attribute, "AttributeType": kind}
                for attribute, kind in (("id", "S"), ("version", "N"), ("kind", "S"))
            ],
            GlobalSecondaryIndexes=[
                {"IndexName": "kinds", "KeySchema": index, "Projection": {"ProjectionType": "ALL"}}
            ],
        )
    yield name
    for client in clients:
        client.delete_table(TableName=name)


@pytest.mark.parametrize("seed", range(5))
def test_requests_are_answered_as_the_local_aws_answers_them(clients: tuple[Any, Any], table: str, seed: int) -> None:
    draw = random.Random(seed)
    errors = 0
    for _ in range(60):
        operation, request = draw.choice(REQUESTS)(draw, table)
        here, there = (answer(client, operation, request) for client in clients)
        assert here == there, (operation, request)
        errors += "Error" in here
    assert 5 < errors < 55


def answer(client: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    try:
        answered: dict[str, Any] = getattr(client, operation)(**request)
    except ClientError as error:
        answered = dict(error.response)
    status = answered.pop("ResponseMetadata")["HTTPStatusCode"]
    for unordered in answered.get("Responses", {}).values() if operation == "batch_get_item" else ():
        unordered.sort(key=str)
    return {**answered, "status": status}


def put_item(draw: random.Random, table: str) -> Request:
    conditions: list[dict[str, Any]] = [
        {},
        {"ConditionExpression": "attribute_not_exists(id)"},
        {
            "ConditionExpression": "attribute_not_exists(n) OR n < :n",
            "ExpressionAttributeValues": {":n": {"N": str(draw.randint(0, 9))}},
        },
    ]
    request = {"TableName": table, "Item": item(draw), **draw.choice(conditions)}
    return "put_item", {**request, "ReturnConsumedCapacity": "INDEXES"}


def update_item(draw: random.Random, table: str) -> Request:
    request = {
        "TableName": table,
        "Key": draw.choice(KEYS),
        "UpdateExpression": "SET n = :n",
        "ConditionExpression": "attribute_not_exists(n) OR n < :n",
        "ExpressionAttributeValues": {":n": {"N": str(draw.randint(0, 9))}},
    }
    return "update_item", {**request, "ReturnConsumedCapacity": "INDEXES"}


def transact_write_items(draw: random.Random, table: str) -> Request:
    puts = [
        {"Put": {"TableName": table, "Item": item(draw), "ConditionExpression": "attribute_not_exists(id)"}}
        for _ in range(draw.randint(1, 3))  # which may name an item twice
    ]
    return "transact_write_items", {"TransactItems": puts, "ReturnConsumedCapacity": "INDEXES"}


def get_item(draw: random.Random, table: str) -> Request:
    return "get_item", {"TableName": table, "Key": draw.choice([*KEYS, {"id": {"S": "ann"}}, {"id": {"S": ""}}])}


def batch_get_item(draw: random.Random, table: str) -> Request:
    keys = [draw.choice(KEYS) for _ in range(draw.randint(1, 3))]
    return "batch_get_item", {"RequestItems": {table: {"Keys": keys, "ProjectionExpression": "id, n"}}}


def query(draw: random.Random, table: str) -> Request:
    values = {":id": {"S": draw.choice(["ann", "josh", "eve"])}, ":from": {"N": str(draw.randint(0, 4))}}
    request = {
        "TableName": table,
        "KeyConditionExpression": f"id = :id AND version {draw.choice(['<', '<=', '>', '>=', '='])} :from",
        "ExpressionAttributeValues": values,
        "ScanIndexForward": draw.random() < 0.5,
        "Limit": draw.randint(1, 4),
    }
    return "query", request


def query_of_the_index(draw: random.Random, table: str) -> Request:
    request = {
        "TableName": table,
        "IndexName": "kinds",
        "KeyConditionExpression": "#kind = :kind AND version BETWEEN :from AND :to",
        "ExpressionAttributeNames": {"#kind": "kind"},
        "ExpressionAttributeValues": {
            ":kind": {"S": "even"},
            ":from": {"N": "1"},
            ":to": {"N": str(draw.randint(1, 4))},
        },
        "ConsistentRead": draw.random() < 0.2,
    }
    return "query", request


def scan(draw: random.Random, table: str) -> Request:
    return "scan", {"TableName": table, "Limit": draw.randint(1, 9), "ConsistentRead": True}


REQUESTS = (put_item, update_item, transact_write_items, get_item, batch_get_item, query, query_of_the_index, scan)


def item(draw: random.Random) -> dict[str, Any]:
    values: list[dict[str, Any]] = [
        {"N": str(draw.randint(0, 9))},
        {"N": "1e-7"},
        {"N": "1" * 39},
        {"M": {"a": {"L": [{"NULL": True}, {"BOOL": False}]}}},
        {"B": b"\0\xff" * draw.randint(1, 900)},
        {"S": ""},
    ]
    key = draw.choice(KEYS)
    kind = {"kind": {"S": "even" if int(key["version"]["N"]) % 2 == 0 else "odd"}}
    return {**key, **kind, "n": draw.choice(values)}


def test_a_queue_delivers_as_that_of_the_local_aws_does(aws: None, emulated: None) -> None:
    assert seen_by_a_receiver(boto3.client("sqs")) == seen_by_a_receiver(on_the_local_aws("sqs"))


def seen_by_a_receiver(sqs: Any) -> list[list[str]]:
    """What a receiver gets of messages that are sent twice, left in flight, put back and deleted."""
    attributes = {"FifoQueue": "true", "VisibilityTimeout": "600"}
    url = sqs.create_queue(QueueName=f"same-{uuid4().hex}.fifo", Attributes=attributes)["QueueUrl"]
    for body in ("first", "second", "first", "third"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="log", MessageDeduplicationId=body)

    def receive(count: int) -> list[dict[str, str]]:
        messages: list[dict[str, str]] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=count).get(
            "Messages", []
        )
        return messages

    received = [receive(2), receive(10)]
    for message in received[0]:
        handle = message["ReceiptHandle"]
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    received.append(receive(1))
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received[-1][0]["ReceiptHandle"])
    received.append(receive(10))
    sqs.delete_queue(QueueUrl=url)
    return [[message["Body"] for message in messages] for messages in received]

"""Each operation's role allows what the operation needs, and no change to history, tried with the role's own policies.

The local AWS enforces IAM. A role that only Lambda may assume cannot be tried from here, so its policies are copied to
one that this test may assume. Each forbidden call is also made by root, on a copy of the tables: so it is denied for
want of permission, and not because it could never work.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore.wire import OPERATIONS, Operation
from testkit.examples import event, new_id
from testkit.harness import Environment, Harness
from testkit.session import Session
from testkit.subjects import InProcess
from tools.discovery import Pattern

Forbidden = Callable[[Any, str, dict[str, Any]], object]

CHANGES: dict[str, Forbidden] = {
    "update an item": lambda dynamodb, table, key: dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET metadata = :m",
        ExpressionAttributeValues={":m": {"S": "forged"}},
    ),
    "delete an item": lambda dynamodb, table, key: dynamodb.delete_item(TableName=table, Key=key),
    "delete in a batch": lambda dynamodb, table, key: dynamodb.batch_write_item(
        RequestItems={table: [{"DeleteRequest": {"Key": key}}]}
    ),
    "delete in a transaction": lambda dynamodb, table, key: dynamodb.transact_write_items(
        TransactItems=[{"Delete": {"TableName": table, "Key": key}}]
    ),
}
WRITES: dict[str, Forbidden] = {
    **CHANGES,
    "put an item": lambda dynamodb, table, key: dynamodb.put_item(TableName=table, Item=key),
    "put in a batch": lambda dynamodb, table, key: dynamodb.batch_write_item(
        RequestItems={table: [{"PutRequest": {"Item": key}}]}
    ),
    "put in a transaction": lambda dynamodb, table, key: dynamodb.transact_write_items(
        TransactItems=[{"Put": {"TableName": table, "Item": key}}]
    ),
}
DENIED = [
    *(("store_events", what) for what in CHANGES),
    *((operation, what) for operation in ("get_aggregate_events", "get_all_events") for what in WRITES),
]


@pytest.fixture
def services() -> None:
    """All of it on the local AWS, which enforces IAM."""


@pytest.mark.parametrize(("operation", "what"), DENIED)
def test_a_role_is_denied(
    harness: Harness, each_pattern: Pattern, session: Session, operation: Operation, what: str
) -> None:
    deployment = session.deployment(each_pattern.name)
    copy = harness.fresh()
    with role_like(deployment["functions"][operation]) as credentials:
        role = boto3.client("dynamodb", **credentials)
        root = boto3.client("dynamodb")
        for name, table in tables(harness, deployment["environment"]).items():
            with pytest.raises(ClientError) as denial:
                WRITES[what](role, table, key_of(root, table))
            assert denial.value.response["Error"]["Code"] == "AccessDeniedException"
            WRITES[what](root, copy[name], key_of(root, copy[name]))
    harness.discard(copy)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_role_may_do_what_its_operation_needs(
    harness: Harness, each_pattern: Pattern, session: Session, operation: Operation
) -> None:
    deployment, aggregate = session.deployment(each_pattern.name), new_id()
    requests: dict[str, Any] = {
        "store_events": {"events": [event(aggregate, 1), event(aggregate, 2)], "requestId": aggregate},
        "get_aggregate_events": {"aggregateId": aggregate},
        "get_all_events": {"limit": 1},
    }
    with role_like(deployment["functions"][operation]) as credentials:
        as_the_role = {
            "AWS_ACCESS_KEY_ID": credentials["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": credentials["aws_secret_access_key"],
            "AWS_SESSION_TOKEN": credentials["aws_session_token"],
        }
        with patch.dict(os.environ, as_the_role):
            store = InProcess(harness.open(deployment["settings"][operation]), each_pattern.sheet)
            assert "events" in store.call(operation, **requests[operation])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_role_is_denied_the_tables_of_others(
    harness: Harness, each_pattern: Pattern, session: Session, operation: Operation
) -> None:
    others = harness.fresh()
    with role_like(session.deployment(each_pattern.name)["functions"][operation]) as credentials:
        role, root = boto3.client("dynamodb", **credentials), boto3.client("dynamodb")
        for table in tables(harness, others).values():
            for attempt in (role.get_item, root.get_item):
                outcome = "allowed"
                try:
                    attempt(TableName=table, Key=key_of(root, table))
                except ClientError as error:
                    outcome = error.response["Error"]["Code"]
                assert outcome == ("AccessDeniedException" if attempt == role.get_item else "allowed")
    harness.discard(others)


def tables(harness: Harness, environment: Environment) -> dict[str, str]:
    """The variables of the environment that name a table."""
    existing = set(boto3.client("dynamodb").list_tables()["TableNames"])
    return {name: value for name, value in environment.items() if value in existing}


def key_of(dynamodb: Any, table: str) -> dict[str, Any]:
    """A key as the table wants it, of no event that is stored."""
    description = dynamodb.describe_table(TableName=table)["Table"]
    types = {
        attribute["AttributeName"]: attribute["AttributeType"] for attribute in description["AttributeDefinitions"]
    }
    values = {"S": {"S": new_id()}, "N": {"N": "1"}, "B": {"B": b"x"}}
    return {part["AttributeName"]: values[types[part["AttributeName"]]] for part in description["KeySchema"]}


@contextmanager
def role_like(function: str) -> Iterator[dict[str, str]]:
    """Credentials of a role with the policies of the function's role, for a boto3 client."""
    iam, sts = boto3.client("iam"), boto3.client("sts")
    original = boto3.client("lambda").get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2]
    assert not iam.list_attached_role_policies(RoleName=original)["AttachedPolicies"], "copy these as well"
    copy = f"probe-{uuid4().hex}"
    account = sts.get_caller_identity()["Account"]
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=copy, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    names = iam.list_role_policies(RoleName=original)["PolicyNames"]
    try:
        for name in names:
            policy = iam.get_role_policy(RoleName=original, PolicyName=name)["PolicyDocument"]
            iam.put_role_policy(RoleName=copy, PolicyName=name, PolicyDocument=json.dumps(policy))
        given = sts.assume_role(RoleArn=arn, RoleSessionName="probe")["Credentials"]
        yield {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }
    finally:
        for name in names:
            iam.delete_role_policy(RoleName=copy, PolicyName=name)
        iam.delete_role(RoleName=copy)

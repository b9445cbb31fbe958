"""Users and roles that a test may be, with the permissions of a deployer or of a deployed function; and calls that no
role should be allowed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from testkit import clients
from testkit.examples import new_id
from tools.discovery import ROOT
from tools.targets import Target

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


def key_of(dynamodb: Any, table: str) -> dict[str, Any]:
    """A key as the table wants it, of no event that is stored."""
    description = dynamodb.describe_table(TableName=table)["Table"]
    types = {
        attribute["AttributeName"]: attribute["AttributeType"] for attribute in description["AttributeDefinitions"]
    }
    values = {"S": {"S": new_id()}, "N": {"N": "1"}, "B": {"B": b"x"}}
    return {part["AttributeName"]: values[types[part["AttributeName"]]] for part in description["KeySchema"]}


def deployer(target: Target) -> dict[str, str]:
    """The environment of a user with the actions of the deployer's policy, and no others.

    On any resource: of some requests, the local AWS does not see which resource they name.
    """
    policy = json.loads((ROOT / "docs/deployer-policy.json").read_text(encoding="utf-8"))
    for statement in policy["Statement"]:
        statement["Resource"] = "*"
    iam, name = target.client("iam"), "deployer"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


@contextmanager
def role_like(function: str) -> Iterator[dict[str, Any]]:
    """Credentials of a role with the policies of the function's role, for a boto3 client."""
    iam, sts = clients.client("iam"), clients.client("sts")
    original = clients.client("lambda").get_function_configuration(FunctionName=function)["Role"].rpartition("/")[2]
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

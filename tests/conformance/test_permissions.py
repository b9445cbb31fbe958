"""Each operation's role allows what the operation needs, and no change to history, tried with the role's own policies.

The local AWS enforces IAM. A role that only Lambda may assume cannot be tried from here, so its policies are copied to
one that this test may assume. Each forbidden call is also made by root, on a copy of the tables: so it is denied for
want of permission, and not because it could never work.
"""

from __future__ import annotations

import os
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore.wire import OPERATIONS, Operation
from testkit import clients
from testkit.examples import event, new_id
from testkit.harness import Environment, Harness
from testkit.permissions import CHANGES, WRITES, key_of, role_like
from testkit.session import Session
from testkit.subjects import InProcess
from tools.discovery import Pattern

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
        root = clients.client("dynamodb")
        held = tables(harness, deployment["environment"])
        if operation == "store_events" and what in ("delete an item", "delete in a transaction"):
            held = {name: table for name, table in held.items() if name not in harness.deletes_from}
        for name, table in held.items():
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
        role, root = boto3.client("dynamodb", **credentials), clients.client("dynamodb")
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
    existing = set(clients.client("dynamodb").list_tables()["TableNames"])
    return {name: value for name, value in environment.items() if value in existing}

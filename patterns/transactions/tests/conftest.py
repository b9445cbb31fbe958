"""An empty store of this pattern, in this process, whose AWS calls a test can watch and disturb."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from testkit.aws_calls import Watch
from testkit.harness import Environment, harness_of
from testkit.session import Session
from testkit.subjects import InProcess
from tools.discovery import containing

PATTERN = containing(__file__)


@pytest.fixture
def environment(session: Session, watch: Watch) -> Iterator[Environment]:
    """Of an empty store."""
    harness = harness_of(PATTERN.name)(PATTERN.name, session.deployment(PATTERN.name)["environment"])
    environment = harness.fresh()
    yield environment
    harness.discard(environment)


@pytest.fixture
def fresh_store(environment: Environment) -> InProcess:
    from ..store import from_environment

    return InProcess(from_environment(environment), PATTERN.sheet)


@pytest.fixture
def log(environment: Environment, dynamodb: Any) -> Any:
    """Reads the log table itself: the entries in order."""
    query = {"TableName": environment["LOG_TABLE"], "KeyConditionExpression": "logId = :all"}
    values = {":all": {"S": "all"}}
    return lambda: dynamodb.query(**query, ExpressionAttributeValues=values, ConsistentRead=True)["Items"]


@pytest.fixture
def dynamodb(aws: None) -> Any:
    import boto3

    return boto3.client("dynamodb")

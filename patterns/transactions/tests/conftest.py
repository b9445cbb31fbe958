"""An empty store of this pattern, in this process, whose AWS calls a test can watch and disturb."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from testkit import clients
from testkit.harness import Environment, HarnessFor
from testkit.subjects import InProcess
from tools.discovery import containing

PATTERN = containing(__file__)


@pytest.fixture
def environment(harness_for: HarnessFor) -> Iterator[Environment]:
    """Of an empty store."""
    harness = harness_for(PATTERN.name)
    environment = harness.fresh()
    yield environment
    harness.discard(environment)


@pytest.fixture
def fresh_store(environment: Environment) -> InProcess:
    from ..store import from_environment

    return InProcess(from_environment(environment), PATTERN.sheet)


@pytest.fixture
def cold_store(environment: Environment) -> InProcess:
    """The tables of `fresh_store`, as a process has them that has done nothing yet."""
    from ..store import from_environment

    return InProcess(from_environment(environment), PATTERN.sheet)


@pytest.fixture
def log(environment: Environment, dynamodb: Any) -> Any:
    """Reads the log table itself: the entries in order."""
    query = {"TableName": environment["LOG_TABLE"], "KeyConditionExpression": "logId = :all"}
    values = {":all": {"S": "all"}}
    return lambda: dynamodb.query(**query, ExpressionAttributeValues=values, ConsistentRead=True)["Items"]


@pytest.fixture
def dynamodb(services: None) -> Any:
    return clients.client("dynamodb")

"""An empty store of this pattern, in this process, whose AWS calls a test can watch and disturb."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
def reopened(environment: Environment) -> Callable[[], InProcess]:
    """The same store as another process has it: nothing is remembered from before."""
    from ..store import from_environment

    return lambda: InProcess(from_environment(environment), PATTERN.sheet)


@pytest.fixture
def fresh_store(reopened: Callable[[], InProcess]) -> InProcess:
    return reopened()


@pytest.fixture
def dynamodb(services: None) -> Any:
    return clients.client("dynamodb")


@pytest.fixture
def log_items(environment: Environment, dynamodb: Any) -> Callable[[str], list[dict[str, Any]]]:
    """Reads the items of the log's table whose part begins so, in order."""

    def items(part: str) -> list[dict[str, Any]]:
        found = dynamodb.scan(TableName=environment["LOG_TABLE"], ConsistentRead=True)["Items"]
        wanted = [item for item in found if item["part"]["S"].startswith(part)]
        return sorted(wanted, key=lambda item: (item["part"]["S"], int(item["firstPosition"]["N"])))

    return items

"""The table and its index of all events: what the audit says where they do not agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pytest

from lambdas.eventstore import ksuids
from lambdas.eventstore.audits import Difference
from lambdas.eventstore.dynamodb.audit import scan
from lambdas.eventstore.dynamodb.items import Item
from testkit import clients
from testkit.aws_calls import Watch
from testkit.examples import event, history
from testkit.harness import HarnessFor
from testkit.schedules import Scene
from tools.discovery import containing

from .. import audit as audited

PATTERN = containing(__file__)


@pytest.fixture
def scene(harness_for: HarnessFor, watch: Watch) -> Iterator[Scene]:
    harness = harness_for(PATTERN.name)
    environment = harness.fresh()
    made = Scene(harness, environment, watch, PATTERN.sheet)
    made.open().store(*history("ann", 3), event("josh", 1, text="too large for the index" * 100))
    harness.drain(environment)
    yield made
    harness.discard(environment)


def audit(scene: Scene, settle_seconds: float = 0) -> str:
    return audited.audit(scene.environment, lambda line: None, settle_seconds)


def change(scene: Scene, aggregate: str, version: int, **attributes: str) -> None:
    """Set attributes of an item by hand."""
    clients.client("dynamodb").update_item(
        TableName=scene.environment["TABLE"],
        Key={"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": str(version)}},
        UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
        ExpressionAttributeNames={f"#{name}": name for name in attributes},
        ExpressionAttributeValues={f":{name}": {"S": value} for name, value in attributes.items()},
    )


def delete(scene: Scene, aggregate: str, version: int) -> None:
    key = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": str(version)}}
    clients.client("dynamodb").delete_item(TableName=scene.environment["TABLE"], Key=key)


DIFFERENCES: dict[str, tuple[Callable[[Scene], Any], str]] = {
    "a version is lost": (
        lambda scene: delete(scene, "ann", 2),
        "aggregate 'ann' has version 3 and nothing has version 2: put that event back from a backup",
    ),
    "an event is in a shard that readers do not know": (
        lambda scene: change(scene, "ann", 2, TYPE="EVENT_7"),
        "version 2 of aggregate 'ann' is in the events table, and not in the order of all events: readers .* TYPE",
    ),
    "ids do not rise with versions": (
        lambda scene: change(scene, "ann", 3, eventId=ksuids.SMALLEST[:-1] + "1"),
        "version 3 of aggregate 'ann' is in the order at .*, before version 2, at",
    ),
    "metadata is lost that the index does not hold": (
        lambda scene: clients.client("dynamodb").update_item(
            TableName=scene.environment["TABLE"],
            Key={"aggregateId": {"S": "josh"}, "aggregateVersion": {"N": "1"}},
            UpdateExpression="REMOVE largeMetadata",
        ),
        "the item .*josh.* of the events table is no event .*metadata",
    ),
    "an item is no event": (lambda scene: change(scene, "josh", 1, eventId="by hand"), "the item .*josh.* is no event"),
}


def test_a_table_that_agrees_with_its_index_is_said_to(scene: Scene) -> None:
    assert audit(scene) == "4 events of 2 aggregates, 4 in the order"


def test_what_is_stored_while_the_table_is_read_is_no_difference(scene: Scene) -> None:
    def scan_and_store(client: Any, table: str) -> Iterator[Item]:
        yield from scan(client, table)
        scene.open().store(event("eve", 1))
        scene.harness.drain(scene.environment)

    with patch.object(audited, "scan", scan_and_store):
        assert audit(scene, settle_seconds=60) == "4 events of 2 aggregates, 4 in the order"


def test_the_shards_of_a_store_are_read_as_its_readers_do(scene: Scene) -> None:
    scene.environment["SHARDS"] = "4"
    scene.open().store(event("eve", 1))
    scene.harness.drain(scene.environment)
    assert audit(scene).startswith("5 events of 3 aggregates, 5 in the order")
    scene.environment["SHARDS"] = "1"
    with pytest.raises(Difference, match="deploy with at least as many shards as ever before"):
        audit(scene)


@pytest.mark.parametrize(("diverge", "said"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_the_audit_names_the_first_difference(scene: Scene, diverge: Callable[[Scene], Any], said: str) -> None:
    diverge(scene)
    with pytest.raises(Difference) as found:
        audit(scene)
    assert re.search(said, str(found.value)), found.value

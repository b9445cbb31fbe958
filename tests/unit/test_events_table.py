"""What a process has read or stored it need not read again to append behind it."""

from typing import Any

import pytest

from lambdas.eventstore import Append, NewEvent
from lambdas.eventstore.dynamodb import table as events_table
from lambdas.eventstore.dynamodb.items import Item, key_of, to_attribute, to_item
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.events import StoredEvent


def new_event(aggregate: str, version: int) -> NewEvent:
    return NewEvent(aggregate, version, "MONEY_DEPOSITED", 1, {})


def stored(aggregate: str, version: int) -> StoredEvent:
    return new_event(aggregate, version).stored(f"{aggregate}{version}")


class Client:
    """DynamoDB with three events of one aggregate, "a", that tells which keys it was asked for."""

    def __init__(self) -> None:
        events = [new_event("a", version) for version in (1, 2, 3)]
        self.items = [to_item(event, f"a{event.aggregate_version}", Append((event,))) for event in events]
        self.keys: list[Item] = []

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        [(table, wanted)] = request["RequestItems"].items()
        self.keys += wanted["Keys"]
        return {"Responses": {table: [item for item in self.items if _key(*key_of(item)) in wanted["Keys"]]}}

    def query(self, **_query: Any) -> dict[str, Any]:
        return {"Items": self.items}


def _key(aggregate: str, version: int) -> Item:
    return {"aggregateId": to_attribute(aggregate), "aggregateVersion": to_attribute(version)}


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def table(client: Client) -> EventsTable:
    return EventsTable(client, "events")


def test_an_id_that_nobody_has_seen_is_read(table: EventsTable, client: Client) -> None:
    assert table.ids([("a", 3)]) == ["a3"]
    assert client.keys == [_key("a", 3)]


def test_after_reading_an_aggregate_the_id_of_its_last_event_is_known(table: EventsTable, client: Client) -> None:
    table.page("a", 1, 100)

    assert table.ids([("a", 3)]) == ["a3"]
    assert client.keys == []


def test_of_what_was_stored_together_the_last_version_of_each_aggregate_is_known(
    table: EventsTable, client: Client
) -> None:
    table.remember([stored("b", 1), stored("c", 7), stored("b", 2)])

    assert table.ids([("b", 2), ("c", 7)]) == ["b2", "c7"]
    assert client.keys == []


@pytest.mark.parametrize("version", [1, 2, 4])
def test_another_version_than_the_known_one_is_read(table: EventsTable, client: Client, version: int) -> None:
    table.page("a", 1, 100)

    table.ids([("a", version)])
    assert client.keys == [_key("a", version)]


def test_what_is_known_of_some_aggregates_saves_reading_these_only(table: EventsTable, client: Client) -> None:
    table.remember([stored("b", 4)])

    assert table.ids([("b", 4), ("a", 2)]) == ["b4", "a2"]
    assert client.keys == [_key("a", 2)]


def test_what_is_remembered_is_bounded(table: EventsTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_table, "_REMEMBERED", 3)
    for number in range(10):
        table.remember([stored(f"aggregate {number}", 1)])

        assert table.ids([(f"aggregate {number}", 1)]) == [f"aggregate {number}1"]
        assert len(table._last) <= 3

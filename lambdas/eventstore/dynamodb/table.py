"""The table of events, read: one item an event, keyed (aggregateId, aggregateVersion).

All reads are strongly consistent. Writing is the append protocol's (`appends`), or the pattern's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lambdas.eventstore import pages
from lambdas.eventstore.contract import AggregatePage
from lambdas.eventstore.dynamodb.items import Item, Key, key_of, to_attribute, to_event
from lambdas.eventstore.dynamodb.reads import gapless, get_items, query_items
from lambdas.eventstore.events import StoredEvent

_REMEMBERED = 10_000
"""Aggregates. At most 10 MB, with ids as long as they may be."""


class EventsTable:
    """The table of events. `offset` names the attribute that holds an event's offset, where the pattern keeps one.

    An event is never changed or deleted, so what this process has once read or stored is not read again to append
    behind it. After events were removed, as to repair a table, start new processes before anything is appended.
    """

    def __init__(self, client: Any, name: str, offset: str | None = None) -> None:
        self.client = client
        self.name = name
        self._offset = offset
        self._last: dict[str, tuple[int, str]] = {}
        """By aggregate, the version and the id of an event that is stored: usually its last one."""

    def page(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        """`EventStore.get_aggregate_events`."""
        items = gapless(lambda first: self.items(aggregate_id, first, limit + 1), "aggregateVersion", from_version)
        events, more = pages.take(map(self.event, items), limit)
        self.remember(events[-1:])
        return AggregatePage(events, events[-1].aggregate_version + 1 if more else None)

    def items(self, aggregate_id: str, from_version: int, page_size: int) -> Iterator[Item]:
        """The aggregate's items in version order, drawn only as far as they are consumed, so many a request."""
        query = {
            "TableName": self.name,
            "KeyConditionExpression": "aggregateId = :aggregate AND aggregateVersion >= :from",
            "ExpressionAttributeValues": {
                ":aggregate": to_attribute(aggregate_id),
                ":from": to_attribute(from_version),
            },
            "ConsistentRead": True,
        }
        return query_items(self.client, query, page_size)

    def current_version(self, aggregate_id: str) -> int:
        """The version of the aggregate's last event; 0 if it has none."""
        last = self._newest(aggregate_id, "aggregateVersion")
        return int(last["aggregateVersion"]["N"]) if last else 0

    def head(self, aggregate_id: str) -> tuple[int, str]:
        """The version and the id of the aggregate's last event; 0 and an empty id if it has none."""
        last = self._newest(aggregate_id, "aggregateVersion, eventId")
        return (int(last["aggregateVersion"]["N"]), last["eventId"]["S"]) if last else (0, "")

    def _newest(self, aggregate_id: str, attributes: str) -> Item | None:
        response = self.client.query(
            TableName=self.name,
            KeyConditionExpression="aggregateId = :aggregate",
            ExpressionAttributeValues={":aggregate": to_attribute(aggregate_id)},
            ProjectionExpression=attributes,
            ConsistentRead=True,
            ScanIndexForward=False,
            Limit=1,
        )
        return response["Items"][0] if response["Items"] else None

    def ids(self, keys: Iterable[Key]) -> list[str]:
        """The ids of the events that exist among `keys`: one strongly consistent read, or none for remembered ones."""
        ids, unknown = [], []
        for aggregate, version in keys:
            known, event_id = self._last.get(aggregate, (None, ""))
            if known == version:
                ids.append(event_id)
            else:
                unknown.append((aggregate, version))
        return ids + [item["eventId"]["S"] for item in self.get(unknown, ["eventId"]).values()]

    def remember(self, events: Iterable[StoredEvent]) -> None:
        """That these are stored. Those of one aggregate come in the order of their versions."""
        if len(self._last) >= _REMEMBERED:
            self._last.clear()
        self._last.update({event.aggregate_id: (event.aggregate_version, event.event_id) for event in events})

    def get(self, keys: Iterable[Key], attributes: Sequence[str] = ()) -> dict[Key, Item]:
        """The items that exist among `keys` (at most 100, the limit of BatchGetItem), whole or some attributes."""
        request = [
            {"aggregateId": to_attribute(aggregate), "aggregateVersion": to_attribute(v)} for aggregate, v in keys
        ]
        attributes = ("aggregateId", "aggregateVersion", *attributes) if attributes else ()
        return {key_of(item): item for item in get_items(self.client, self.name, request, attributes)}

    def event(self, item: Item) -> StoredEvent:
        """The event that `item` holds."""
        return to_event(item, self._offset)

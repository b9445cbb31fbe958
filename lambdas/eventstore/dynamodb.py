"""What the patterns on DynamoDB share: an event as an item, and a table of events.

The table is keyed (aggregateId, aggregateVersion), one item an event; `metadata` is a native map, so that it can be
read and filtered there. All reads here are strongly consistent. Writing is each pattern's own.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from lambdas.eventstore import ksuids, pages
from lambdas.eventstore.contract import AggregatePage, Append
from lambdas.eventstore.events import NewEvent, StoredEvent
from lambdas.eventstore.limits import MAX_INTEGER
from lambdas.eventstore.retry import pause

Attribute = dict[str, Any]
Item = dict[str, Attribute]
Key = tuple[str, int]


class EventsTable:
    """The table of events. `offset` names the attribute that holds an event's offset, where the pattern keeps one."""

    def __init__(self, client: Any, name: str, offset: str | None = None) -> None:
        self.client = client
        self.name = name
        self._offset = offset

    def page(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        """`EventStore.get_aggregate_events`."""

        def read(version: int) -> Iterator[Item]:
            query = {
                "TableName": self.name,
                "KeyConditionExpression": "aggregateId = :aggregate AND aggregateVersion >= :from",
                "ExpressionAttributeValues": {
                    ":aggregate": to_attribute(aggregate_id),
                    ":from": to_attribute(version),
                },
                "ConsistentRead": True,
            }
            return query_items(self.client, query, limit + 1)

        events, more = pages.take(map(self.event, gapless(read, "aggregateVersion", from_version)), limit)
        return AggregatePage(events, events[-1].aggregate_version + 1 if more else None)

    def current_version(self, aggregate_id: str) -> int:
        """The version of the aggregate's last event; 0 if it has none."""
        response = self.client.query(
            TableName=self.name,
            KeyConditionExpression="aggregateId = :aggregate",
            ExpressionAttributeValues={":aggregate": to_attribute(aggregate_id)},
            ProjectionExpression="aggregateVersion",
            ConsistentRead=True,
            ScanIndexForward=False,
            Limit=1,
        )
        return int(response["Items"][0]["aggregateVersion"]["N"]) if response["Items"] else 0

    def get(self, keys: Iterable[Key], attributes: Sequence[str] = ()) -> dict[Key, Item]:
        """The items that exist among `keys` (at most 100, the limit of BatchGetItem), whole or some attributes."""
        request = [
            {"aggregateId": to_attribute(aggregate), "aggregateVersion": to_attribute(v)} for aggregate, v in keys
        ]
        attributes = ("aggregateId", "aggregateVersion", *attributes) if attributes else ()
        return {_key(item): item for item in get_items(self.client, self.name, request, attributes)}

    def new_ids(self, append: Append) -> list[str]:
        """Ids for the events of `append`, above those of the events that it builds on.

        Costs one strong read of those; a new aggregate needs none. Once they exist they always will, so no write has
        to check it again.

        Raises:
            VersionConflict: an event that it builds on does not exist, or its versions have gaps.
        """
        previous = self._previous_ids(append)
        if len(previous) < append.builds_on or not append.contiguous:
            if conflict := append.conflict(self.current_version):
                raise conflict
            previous = self._previous_ids(append)  # What was missing has been stored since the first read.
        return ksuids.issue(len(append.events), time.time(), max(previous, default=None))

    def stored_before(self, append: Append, event_ids: Sequence[str]) -> list[StoredEvent]:
        """What to answer when a version of `append` is taken: its events, if it was this very request that took it.

        Raises:
            VersionConflict: it was another.
        """
        if stored := self.already_stored(append, event_ids):
            return stored
        conflict = append.conflict(self.current_version)
        assert conflict, "a taken version is never above the current one"
        raise conflict

    def already_stored(self, append: Append, event_ids: Sequence[str]) -> list[StoredEvent] | None:
        """The events of `append` as stored, if it was this very request that stored them; else None.

        It was, if they carry the ids made for this call (a write whose answer was lost), or the same request id and
        the digest of equal events (a caller's retry, however much later). One of them tells for all: a request is
        stored as a whole, though for a moment a reader may see a part of it.
        """
        keys = [(event.aggregate_id, event.aggregate_version) for event in append.events]
        for attempt in count():
            items = self.get(keys)
            if not any(_is_of(append, event_ids, item) for item in items.values()):
                return None
            if len(items) == len(keys):
                return [self.event(items[key]) for key in keys]
            pause(attempt, "a part of this request, which is stored, cannot be seen yet")
        raise AssertionError("unreachable")

    def _previous_ids(self, append: Append) -> list[str]:
        """The ids of the last events that `append` assumes, of those that exist."""
        keys = [(aggregate, version) for aggregate, version in append.expected.items() if version]
        return [item["eventId"]["S"] for item in self.get(keys, ["eventId"]).values()]

    def event(self, item: Item) -> StoredEvent:
        """The event that `item` holds."""
        return to_event(item, self._offset)


def to_item(event: NewEvent, event_id: str, append: Append) -> Item:
    """An event as the item to put; the pattern adds what it needs besides."""
    item = {name: to_attribute(value) for name, value in event.to_wire().items()}
    item["eventId"] = to_attribute(event_id)
    if append.request_id is not None:
        item["requestId"] = to_attribute(append.request_id)
        item["requestDigest"] = to_attribute(append.digest)
    return item


def to_event(item: Item, offset: str | None = None) -> StoredEvent:
    """The event that `item` holds; `offset` names the attribute with its offset, a string or a number."""
    return StoredEvent(
        aggregate_id=item["aggregateId"]["S"],
        aggregate_version=int(item["aggregateVersion"]["N"]),
        event_type=item["eventType"]["S"],
        event_version=int(item["eventVersion"]["N"]),
        metadata=from_attribute(item["metadata"]),
        event_id=item["eventId"]["S"],
        offset=str(from_attribute(item[offset])) if offset else None,
    )


def gapless(read: Callable[[int], Iterable[Item]], number: str, first: int) -> Iterator[Item]:
    """The items that `read(first)` yields, whose `number` counts up from `first`; one that is missing is waited for.

    A Query is only read-committed against a transaction: while one commits, a later item of it can be seen before an
    earlier (developerguide/transaction-apis, isolation levels). A reader that went on from there would never see it.
    """
    for attempt in count():
        for item in read(first):
            if item[number] != to_attribute(first):
                break
            yield item
            first += 1
        else:
            return
        pause(attempt, f"{number} {first} is missing, and a later one is not")


def get_items(client: Any, table: str, keys: Sequence[Item], attributes: Sequence[str] = ()) -> Iterator[Item]:
    """The items that exist among `keys` (at most 100, the limit of BatchGetItem), in no order; strongly consistent."""
    request: dict[str, Any] = {"Keys": keys, "ConsistentRead": True}
    if attributes:
        request["ProjectionExpression"] = ", ".join(attributes)
    attempt = 0
    while request["Keys"]:
        response = client.batch_get_item(RequestItems={table: request})
        yield from response["Responses"].get(table, [])
        unprocessed = response.get("UnprocessedKeys", {}).get(table, {"Keys": []})
        if len(unprocessed["Keys"]) == len(request["Keys"]):
            pause(attempt, "DynamoDB processed no key of a BatchGetItem")
            attempt += 1
        request = unprocessed


def query_items(client: Any, query: dict[str, Any], page_size: int) -> Iterator[Item]:
    """Items of a query, drawn page by page only as far as they are consumed."""
    start: dict[str, Any] = {}
    while True:
        response = client.query(**query, **start, Limit=page_size)
        yield from response["Items"]
        if "LastEvaluatedKey" not in response:
            return
        start = {"ExclusiveStartKey": response["LastEvaluatedKey"]}


def to_attribute(value: Any) -> Attribute:
    """A JSON value as a DynamoDB attribute (developerguide/HowItWorks.NamingRulesDataTypes)."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case None:
            return {"NULL": True}
        case int() | float():
            return {"N": repr(value)}
        case dict():
            return {"M": {name: to_attribute(item) for name, item in value.items()}}
        case list():
            return {"L": [to_attribute(item) for item in value]}
    raise TypeError(f"{type(value).__name__} is not JSON")


def from_attribute(attribute: Attribute) -> Any:
    """The JSON value of an attribute. Whole numbers come back as int as far as I-JSON keeps them exact."""
    [(kind, value)] = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "NULL":
            return None
        case "N":
            number = float(value)
            return int(number) if abs(number) <= MAX_INTEGER and math.trunc(number) == number else number
        case "M":
            return {name: from_attribute(item) for name, item in value.items()}
        case "L":
            return [from_attribute(item) for item in value]
    raise TypeError(f"a DynamoDB attribute of type {kind} is not JSON")


def _is_of(append: Append, event_ids: Sequence[str], item: Item) -> bool:
    """Whether it was `append` that stored `item`, in this call or in an earlier one."""
    if append.request_id is not None and item.get("requestId") == to_attribute(append.request_id):
        return item["requestDigest"] == to_attribute(append.digest)
    return item["eventId"]["S"] in event_ids


def _key(item: Item) -> Key:
    return item["aggregateId"]["S"], int(item["aggregateVersion"]["N"])

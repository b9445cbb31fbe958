"""One table, one index: all events in the order of their KSUIDs.

Guarantees: an aggregate's events are strongly consistent and in version order; the global order is by the writers'
clocks, except that within an aggregate it always follows the versions. Costs, for an item of n KB: n + 1 WRU for a
first event in 1 request, n + 1 WRU + 1 RRU in 2 requests for a later one. Fails: an event can reach the index behind
an offset that a reader has passed (skewed clock, slow index); the settle window makes that rare, never impossible.
"""

from __future__ import annotations

import heapq
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from lambdas.eventstore import aws, ksuids, offsets, pages
from lambdas.eventstore.contract import AggregatePage, Append, EventStore, LogPage
from lambdas.eventstore.dynamodb.appends import append_events
from lambdas.eventstore.dynamodb.items import Item, item_bytes, key_of, to_attribute
from lambdas.eventstore.dynamodb.reads import query_items
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.events import StoredEvent

INDEX = "all-events"

_ENTRY_BYTES = 1024
"""Of an entry of the index: one write unit. The metadata of a larger event is where the index does not have it."""

_INDEXED = ("aggregateId", "aggregateVersion", "eventId", "TYPE", "eventType", "eventVersion", "metadata")
_LARGE = "largeMetadata"
_BATCH = 100
"""Keys of a BatchGetItem."""


def from_environment(environ: Mapping[str, str]) -> KsuidEventStore:
    """The store that the Lambda's environment describes: TABLE, SHARDS (default 1), SETTLE_MS (default 2000)."""
    return KsuidEventStore(
        aws.client("dynamodb"),
        environ["TABLE"],
        shards=int(environ.get("SHARDS", "1")),
        settle_seconds=int(environ.get("SETTLE_MS", "2000")) / 1000,
    )


class _Events(EventsTable):
    def event(self, item: Item) -> StoredEvent:
        return super().event({"metadata": item[_LARGE], **item} if _LARGE in item else item)


class KsuidEventStore(EventStore):
    """`settle_seconds` is how far `get_all_events` stays behind the clock. `shards` spreads the index, about 1,000
    events a second each. It may grow, readers first, as Terraform does it: a reader with a lower number than a writer
    passes over what lies in the shards that it does not know, and never returns to it. So it never shrinks."""

    def __init__(self, client: Any, table: str, *, shards: int = 1, settle_seconds: float = 2.0) -> None:
        self._client = client
        self._table = _Events(client, table, offset="eventId")
        self._shards = shards
        self._settle_seconds = settle_seconds

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        stored = append_events(self._table, append, self._as_stored, ksuids.issue_near)
        return [replace(event, offset=event.event_id) for event in stored]

    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        return self._table.page(aggregate_id, from_version, limit)

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        if after is not None and not ksuids.is_ksuid(after):
            raise offsets.refusal()
        first = ksuids.SMALLEST if after is None else ksuids.successor(after)
        last = ksuids.first_of(time.time() - self._settle_seconds)
        events, more = pages.take(self._events_between(first, last, limit + 1), limit)
        return LogPage(events, events[-1].offset if events else after, more)

    def event(self, item: Item) -> StoredEvent:
        """The event that an item of the table holds."""
        return self._table.event(item)

    def all_shards(self) -> list[str]:
        """Also "EVENT", for the events that were stored before the index was sharded."""
        return ["EVENT"] if self._shards == 1 else ["EVENT", *(f"EVENT_{n}" for n in range(self._shards))]

    def _as_stored(self, item: Item) -> Item:
        """With the index's partition key, and with large metadata moved to where the index does not copy it."""
        item = {**item, "TYPE": to_attribute(self._shard_of(item["aggregateId"]["S"]))}
        if item_bytes({name: item[name] for name in _INDEXED}) > _ENTRY_BYTES:
            item[_LARGE] = item.pop("metadata")
        return item

    def _shard_of(self, aggregate_id: str) -> str:
        if self._shards == 1:
            return "EVENT"
        return f"EVENT_{zlib.crc32(aggregate_id.encode()) % self._shards}"

    def _events_between(self, first: str, last: str, wanted: int) -> Iterator[StoredEvent]:
        """Up to `wanted` events with ids from `first` to `last` in id order, merged from all shards."""
        if first > last:
            return
        shards = self.all_shards()
        page_size = -(-wanted // len(shards))
        streams = [self._shard_items(shard, first, last, page_size) for shard in shards]
        entries = islice(heapq.merge(*streams, key=lambda entry: entry["eventId"]["S"]), wanted)
        while batch := list(islice(entries, _BATCH)):
            large = self._table.get(key_of(entry) for entry in batch if "metadata" not in entry)
            yield from (self._table.event(large.get(key_of(entry), entry)) for entry in batch)

    def _shard_items(self, shard: str, first: str, last: str, page_size: int) -> Iterator[Item]:
        query = {
            "TableName": self._table.name,
            "IndexName": INDEX,
            "KeyConditionExpression": "#type = :shard AND eventId BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#type": "TYPE"},
            "ExpressionAttributeValues": {
                ":shard": to_attribute(shard),
                ":first": to_attribute(first),
                ":last": to_attribute(last),
            },
        }
        return query_items(self._client, query, page_size)

"""The pending requests: of appends that have met others, for the one that commits the next page to take along.

Guarantees nothing: an entry may be there after its request is stored or refused, or be gone before, so a reader
checks, and the append that left it looks for itself whether its request is stored. Costs: 1 WRU for each KB to leave a
request, and 1 to remove it; 1 RRU for each 4 KB that are pending to read them all. Fails: the entry of an append that
died stays, and may still be stored, for `_SECONDS`; a later reader removes it.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore.dynamodb.items import Item, Key, to_attribute
from lambdas.eventstore.log_first.log import Entry, ForEach, compressed

PARTS = 2
"""Each takes 1,000 write units a second (developerguide/bp-partition-key-design, read 2026-11), which are 500 requests.
Each takes a query to read."""

_MOST = 100
"""Requests that are read: more than fit a page, unless their events are tiny."""

_SECONDS = 60.0
"""Longer than an append usually waits, so that a clock which is ahead ends no entry that is still waited for. An append
whose entry is gone is not taken along, and goes on trying."""


@dataclass(frozen=True)
class PendingRequest:
    """`size` is what its entries add to a page at most, in bytes."""

    name: str
    entries: Sequence[Entry]
    size: int

    @cached_property
    def first_versions(self) -> set[Key]:
        """Of each of its aggregates, the first version that it names: if that is free, so are those behind it."""
        return set({entry["aggregateId"]: entry["aggregateVersion"] for entry in reversed(self.entries)}.items())


class PendingTable:
    """The table of the pending requests, keyed (part, name)."""

    def __init__(self, client: Any, name: str, for_each: ForEach) -> None:
        self._client = client
        self._name = name
        self._for_each = for_each

    def put(self, entries: Sequence[Entry]) -> None:
        """Leave a request under the id of its first event, which is no other's."""
        content = compressed(entries)
        until = to_attribute(round(time.time() + _SECONDS))
        item = {**_key(entries[0]["eventId"]), "entries": {"B": content}, "until": until}
        self._client.put_item(TableName=self._name, Item=item)

    def read(self, parts: Iterable[int] = range(PARTS)) -> list[PendingRequest]:
        """What is pending now, up to 1 MB of each part, oldest first."""
        items = [item for part in self._for_each(self._query, parts) for item in part]
        now = time.time()
        for item in items:
            if float(item["until"]["N"]) < now:
                self.remove(item["name"]["S"])
        requests = [_request(item) for item in items if float(item["until"]["N"]) >= now]
        return sorted(requests, key=lambda request: request.name)

    def _query(self, part: int) -> list[Item]:
        items: list[Item] = self._client.query(
            TableName=self._name,
            KeyConditionExpression="part = :part",
            ExpressionAttributeValues={":part": to_attribute(_part(part))},
            ConsistentRead=True,
            Limit=_MOST,
        )["Items"]
        return items

    def remove(self, name: str) -> None:
        """Nothing depends on it, so nothing fails with it."""
        with suppress(ClientError, BotoCoreError):
            self._client.delete_item(TableName=self._name, Key=_key(name))


def _request(item: Item) -> PendingRequest:
    content = item["entries"]["B"]
    return PendingRequest(item["name"]["S"], json.loads(zlib.decompress(content)), len(content))


def _key(name: str) -> Item:
    return {"part": to_attribute(_part(sum(name.encode()) % PARTS)), "name": to_attribute(name)}


def _part(number: int) -> str:
    return f"requests {number}"

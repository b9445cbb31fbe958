"""The append protocol: how events enter a table whose items are keyed (aggregateId, aggregateVersion).

Guarantees what `EventStore.store_events` does. Costs, for an item of up to 1 KB: 1 WRU for one event, 2 WRU for each
of several (they go in one transaction), and 1 RRU for each existing aggregate; entries of an index come on top. Fails:
contention that outlasts the invocation is raised, with nothing stored.

A pattern that writes more than the events themselves puts its own write between `new_ids` and `stored_before`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws, ksuids
from lambdas.eventstore.contract import Append
from lambdas.eventstore.dynamodb.items import Item, to_attribute, to_item
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.events import NewEvent, StoredEvent
from lambdas.eventstore.retry import Retries

VERSION_IS_FREE = "attribute_not_exists(aggregateId)"
"""Together with "version n-1 exists", read beforehand, this is the whole of optimistic concurrency: events are never
changed or deleted, so what was read cannot become false again, and no transaction has to check it."""

_CONFLICT = "ConditionalCheckFailed"
_CONTENTION = {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Cancellation reasons that pass (API_TransactWriteItems): another transaction on the item, or throttling."""

Attributes = Callable[[NewEvent], Item]


def append_events(table: EventsTable, append: Append, also: Attributes = lambda event: {}) -> Sequence[StoredEvent]:
    """`EventStore.store_events`. Each item also has the attributes that `also` gives, such as the key of an index."""
    # The ids stay the same over all attempts, so that one which took effect unseen is recognised by the next.
    event_ids = new_ids(table, append)
    retries = Retries()
    while True:
        outcome = _write(table, append, event_ids, also)
        if outcome == "stored":
            break
        if outcome == "conflict":
            return stored_before(table, append, event_ids)
        retries.pause("other transactions kept the items of this request busy")
    return [event.stored(event_id) for event, event_id in zip(append.events, event_ids, strict=True)]


def new_ids(table: EventsTable, append: Append) -> list[str]:
    """Ids for the events of `append`, above those of the events that it builds on.

    Costs one strong read of those; a new aggregate needs none. Once they exist they always will, so no write has
    to check it again.

    Raises:
        VersionConflict: an event that it builds on does not exist.
    """
    previous = _previous_ids(table, append)
    if len(previous) < append.builds_on:
        if conflict := append.conflict(table.current_version):
            raise conflict
        previous = _previous_ids(table, append)  # What was missing has been stored since the first read.
    return ksuids.issue(len(append.events), time.time(), max(previous, default=None))


def stored_before(table: EventsTable, append: Append, event_ids: Sequence[str]) -> list[StoredEvent]:
    """What to answer when a version of `append` is taken: its events, if it was this very request that took it.

    Raises:
        VersionConflict: it was another.
    """
    if stored := _already_stored(table, append, event_ids):
        return stored
    conflict = append.conflict(table.current_version)
    assert conflict, "a taken version is never above the current one"
    raise conflict


def _write(table: EventsTable, append: Append, event_ids: Sequence[str], also: Attributes) -> str:
    """Put all items or none: "stored", "conflict" (a version is taken), or "busy" (nothing stored, try again)."""
    puts: list[dict[str, Any]] = [
        {
            "TableName": table.name,
            "Item": {**to_item(event, event_id, append), **also(event)},
            "ConditionExpression": VERSION_IS_FREE,
        }
        for event, event_id in zip(append.events, event_ids, strict=True)
    ]
    try:
        if len(puts) == 1:
            table.client.put_item(**puts[0])
        else:
            table.client.transact_write_items(TransactItems=[{"Put": put} for put in puts])
    except ClientError as error:
        match aws.error_code(error):
            case "ConditionalCheckFailedException":
                return "conflict"
            case "TransactionConflictException":
                return "busy"
            case "TransactionCanceledException":
                codes = aws.cancellation_codes(error)
                if _CONFLICT in codes:
                    return "conflict"
                if set(codes) <= _CONTENTION:
                    return "busy"
        raise
    return "stored"


def _previous_ids(table: EventsTable, append: Append) -> list[str]:
    """The ids of the last events that `append` assumes, of those that exist."""
    keys = [(aggregate, version) for aggregate, version in append.expected.items() if version]
    return [item["eventId"]["S"] for item in table.get(keys, ["eventId"]).values()]


def _already_stored(table: EventsTable, append: Append, event_ids: Sequence[str]) -> list[StoredEvent] | None:
    """The events of `append` as stored, if it was this very request that stored them; else None.

    It was, if they carry the ids made for this call (a write whose answer was lost), or the same request id and
    the digest of equal events (a caller's retry, however much later). One of them tells for all: a request is
    stored as a whole, though for a moment a reader may see a part of it.
    """
    keys = [(event.aggregate_id, event.aggregate_version) for event in append.events]
    retries = Retries()
    while True:
        items = table.get(keys)
        if not any(_is_of(append, event_ids, item) for item in items.values()):
            return None
        if len(items) == len(keys):
            return [table.event(items[key]) for key in keys]
        retries.pause("a part of this request, which is stored, cannot be seen yet")


def _is_of(append: Append, event_ids: Sequence[str], item: Item) -> bool:
    """Whether it was `append` that stored `item`, in this call or in an earlier one."""
    if append.request_id is not None and item.get("requestId") == to_attribute(append.request_id):
        return item["requestDigest"] == to_attribute(append.digest)
    return item["eventId"]["S"] in event_ids

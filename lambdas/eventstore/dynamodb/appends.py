"""The append protocol: how events enter a table whose items are keyed (aggregateId, aggregateVersion).

Guarantees what `EventStore.store_events` does. Costs, for an item of up to 1 KB: 1 WRU for one event, 2 WRU for each
of several (they go in one transaction), and 1 RRU for each existing aggregate; entries of an index come on top. Fails:
contention that outlasts the time limit is raised, with nothing stored.

A pattern that writes more than the events themselves gives `append_by` a write of its own.
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
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.retry import Retries

VERSION_IS_FREE = "attribute_not_exists(aggregateId)"
"""Together with "version n-1 exists", read beforehand, this is the whole of optimistic concurrency: events are never
changed or deleted, so what was read cannot become false again, and no transaction has to check it."""

_CONFLICT = "ConditionalCheckFailed"
_CONTENTION = {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Cancellation reasons that pass (API_TransactWriteItems): another transaction on the item, or throttling."""

AsStored = Callable[[Item], Item]
"""An event's item as the pattern stores it, with what its table has beside the event: such as the key of an index."""

Write = Callable[[Sequence[str]], Sequence[StoredEvent] | None]
"""One attempt to store all events of a request, or none, under these ids. It answers with the events, or with None
when nothing was stored and it has waited for its next turn, and raises `VersionTaken`."""

Issue = Callable[[int, float, str | None], list[str]]
"""`ksuids.issue`, or `ksuids.issue_near`."""


HALF_VISIBLE = "a part of this request, which is stored, cannot be seen yet"


class VersionTaken(Exception):
    """A version that a request names is taken: by another request, or by an attempt of this very one."""


def append_events(
    table: EventsTable, append: Append, as_stored: AsStored = lambda item: item, issue: Issue = ksuids.issue
) -> Sequence[StoredEvent]:
    """`EventStore.store_events`, where the items of the events are all that there is to write."""
    retries = Retries()

    def write(event_ids: Sequence[str]) -> Sequence[StoredEvent] | None:
        if _put(table, append, event_ids, as_stored):
            return [event.stored(event_id) for event, event_id in zip(append.events, event_ids, strict=True)]
        retries.pause("other transactions kept the items of this request busy")
        return None

    return append_by(write, table, append, issue)


def append_by(write: Write, table: EventsTable, append: Append, issue: Issue = ksuids.issue) -> Sequence[StoredEvent]:
    """`EventStore.store_events`, by as many attempts of `write` as it takes.

    Each attempt has ids of its own, since an id tells when its event was stored, and attempts can go on for longer than
    readers stay behind now. All of them are kept, so that an attempt that took effect unseen is recognised.
    """
    previous = _previous_ids(table, append)
    if len(previous) < append.builds_on:
        if stored := _refuse_unless_stored(table, append, []):
            return stored
        previous = _previous_ids(table, append)  # What was missing has been stored since the first read.
    tried: list[str] = []
    while True:
        event_ids = issue(len(append.events), time.time(), max(previous, default=None))
        tried += event_ids
        try:
            if events := write(event_ids):
                table.remember(events)
                return events
        except VersionTaken:
            stored = _refuse_unless_stored(table, append, tried)
            assert stored, "a taken version is never above the current one"
            return stored


def _previous_ids(table: EventsTable, append: Append) -> list[str]:
    """The ids of the last events that `append` assumes, of those that exist: at most one strong read.

    Once they exist they always will, so no write has to check it again.
    """
    return table.ids((aggregate, version) for aggregate, version in append.expected.items() if version)


def _put(table: EventsTable, append: Append, event_ids: Sequence[str], as_stored: AsStored) -> bool:
    """Put all items, or none; whether they are stored. False: other transactions were in the way, or nobody knows.

    Raises:
        VersionTaken
    """
    puts: list[dict[str, Any]] = [
        {
            "TableName": table.name,
            "Item": as_stored(to_item(event, event_id, append)),
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
                raise VersionTaken from None
            case "TransactionConflictException" | "IdempotentParameterMismatchException":
                # The second is an answer to the SDK's resend: whether the first was stored, the next attempt finds out.
                return False
            case "TransactionCanceledException":
                codes = aws.cancellation_codes(error)
                if _CONFLICT in codes:
                    raise VersionTaken from None
                if set(codes) <= _CONTENTION:
                    return False
        raise
    return True


def _refuse_unless_stored(table: EventsTable, append: Append, event_ids: Sequence[str]) -> list[StoredEvent] | None:
    """What to answer when the request does not fit what is stored: its own events, if an attempt of it has stored them.

    None if it does fit by now. The current versions are read first: whatever an attempt has stored by then, the look
    for the request's own events finds.

    Raises:
        VersionConflict: what is stored is another request's.
    """
    conflict = append.conflict(table.current_version)
    recognisable = event_ids or append.request_id is not None
    if recognisable and (stored := _already_stored(table, append, event_ids)):
        return stored
    if conflict:
        raise conflict
    return None


def _already_stored(table: EventsTable, append: Append, event_ids: Sequence[str]) -> list[StoredEvent] | None:
    """The events of `append` as stored, if it was this very request that stored them; else None."""
    retries = Retries()
    while own := own_events(table, append, event_ids):
        if len(own) == len(append.events):
            return own
        retries.pause(HALF_VISIBLE)
    return None


def own_events(table: EventsTable, append: Append, event_ids: Sequence[str]) -> list[StoredEvent]:
    """The events of `append`, as far as they can be read, if it was this very request that stored them; else none.

    It was, if they carry the ids made for this call (a write whose answer was lost), or the same request id and
    the digest of equal events (a caller's retry, however much later). One of them tells for all: a request is
    stored as a whole, though for a moment a reader may see a part of it.
    """
    items = table.get((event.aggregate_id, event.aggregate_version) for event in append.events)
    if not any(_is_of(append, event_ids, item) for item in items.values()):
        return []
    keys = [(event.aggregate_id, event.aggregate_version) for event in append.events]
    return [table.event(items[key]) for key in keys if key in items]


def _is_of(append: Append, event_ids: Sequence[str], item: Item) -> bool:
    """Whether it was `append` that stored `item`, in this call or in an earlier one."""
    if append.request_id is not None and item.get("requestId") == to_attribute(append.request_id):
        return item["requestDigest"] == to_attribute(append.digest)
    return item["eventId"]["S"] in event_ids

"""An event and its place in the log of all events, written in one transaction.

Guarantees: one dense total order that follows real time, read strongly consistently both by aggregate and as a whole.
Costs, for items of up to 1 KB: 4 WRU + 1 RRU in 2 requests for a first event, 4 WRU + 2 RRU in 3 for a later one; each
lost race for the next position 4 WRU + 1 RRU more. Fails: appends happen one at a time, over all aggregates; those
that come faster wait, and raise when their Lambda's time is over, having stored nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from secrets import randbelow
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws, offsets, pages
from lambdas.eventstore.contract import AggregatePage, Append, EventStore, LogPage
from lambdas.eventstore.dynamodb.appends import VERSION_IS_FREE, VersionTaken, append_by
from lambdas.eventstore.dynamodb.items import Item, key_of, to_attribute, to_item
from lambdas.eventstore.dynamodb.reads import gapless, query_items
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.dynamodb.turns import Turn
from lambdas.eventstore.events import StoredEvent

POSITION_IS_FREE = "attribute_not_exists(logKey)"
"""With "position n-1 exists", read beforehand and never false again, what makes positions dense."""

_FAILED_CONDITION = "ConditionalCheckFailed"
_BUSY = {
    "None",
    "TransactionConflict",
    # An error of the SDK's resend, not a reason: whether the first was stored is unknown. The next attempt finds out.
    "IdempotentParameterMismatchException",
}
_THROTTLED = {
    # Reasons of a cancelled transaction (API_TransactWriteItems) …
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    # … and errors of a request, which the SDK has retried already.
    *aws.THROTTLED,
    "TransactionInProgressException",
}

_NEVER = {"N": "0"}
_LOG = {"logId": {"S": "all"}}
_ENTRY_BYTES = 4096
"""One read unit: finding the tail never costs more. The entry of a larger event refers to it."""

_BATCH = 100
"""Keys of a BatchGetItem."""


def from_environment(environ: Mapping[str, str]) -> TransactionsEventStore:
    """The store that the Lambda's environment describes: TABLE, of the events, and LOG_TABLE."""
    return TransactionsEventStore(aws.client("dynamodb"), environ["TABLE"], environ["LOG_TABLE"])


class TransactionsEventStore(EventStore):
    """`events` is keyed (aggregateId, aggregateVersion), `log` (logId, logKey) under one logId."""

    def __init__(self, client: Any, events: str, log: str) -> None:
        self._client = client
        self._events = EventsTable(client, events, offset="logPosition")
        self._log = log
        self._seen = 0
        """A position that the log has reached."""

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        turn = Turn()

        def write(event_ids: Sequence[str]) -> Sequence[StoredEvent] | None:
            began = time.monotonic()
            busy_for = 0.0
            try:
                tail, busy_until = self._tail()
                busy_for = busy_until - time.time()
                if turn.give_way(busy_for):
                    return None
                began = time.monotonic()
                self._write(append, event_ids, tail + 1, turn.busy_until)
            except ClientError as error:
                took = time.monotonic() - began
                match _verdict(error, len(append.events)):
                    case "taken":
                        raise VersionTaken from None
                    case "raced" | "in flight" as verdict:
                        turn.raced(took, busy_for, in_flight=verdict == "in flight")
                    case "throttled":
                        turn.throttled(took, busy_for)
                    case _:
                        raise
                return None
            events = zip(append.events, event_ids, count(tail + 1), strict=False)
            return [event.stored(event_id, offset=str(position)) for event, event_id, position in events]

        return append_by(write, self._events, append)

    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        return self._events.page(aggregate_id, from_version, limit)

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        position = offsets.to_position(after)
        entries = gapless(lambda first: self._visible(first, limit + 1), "logPosition", position + 1)
        events, more = pages.take(map(self._events.event, entries), limit)
        if not events and position > self._seen:
            end, _ = self._tail()
            if end < position:
                raise offsets.beyond(end)
        self._seen = max(self._seen, position + len(events))
        return LogPage(events, events[-1].offset if events else after, more)

    def _tail(self) -> tuple[int, float]:
        """The position of the last event, 0 if there is none, and until when its append says that the log is busy.

        Any entry of an append says where the append ends: while it commits, its last entries may not be visible yet.
        """
        newest_first = {**self._entries_from(1), "ScanIndexForward": False, "Limit": 1}
        items = self._client.query(**newest_first, ProjectionExpression="lastPosition, busyUntil")["Items"]
        if not items:
            return 0, 0.0
        return int(items[0]["lastPosition"]["N"]), float(items[0].get("busyUntil", _NEVER)["N"])

    def _write(self, append: Append, event_ids: Sequence[str], first: int, busy_until: float | None) -> None:
        """Put all events and their log entries, from position `first` on, or nothing."""
        items = [to_item(event, event_id, append) for event, event_id in zip(append.events, event_ids, strict=True)]
        for position, item in enumerate(items, first):
            item["logPosition"] = to_attribute(position)
        self._client.transact_write_items(
            TransactItems=[
                *(_put(self._events.name, item, VERSION_IS_FREE) for item in items),
                *(_put(self._log, entry, POSITION_IS_FREE) for entry in _entries(items, busy_until)),
            ]
        )

    def _visible(self, first: int, wanted: int) -> Iterator[Item]:
        """The events from position `first` on, as items, less those that a committing transaction has not shown yet."""
        entries = islice(query_items(self._client, self._entries_from(first), wanted), wanted)
        while batch := list(islice(entries, _BATCH)):
            large = self._events.get(key_of(entry) for entry in batch if "metadata" not in entry)
            for entry in batch:
                if item := entry if "metadata" in entry else large.get(key_of(entry)):
                    yield item

    def _entries_from(self, position: int) -> dict[str, Any]:
        return {
            "TableName": self._log,
            "KeyConditionExpression": "logId = :log AND logKey >= :position",
            "ExpressionAttributeValues": {":log": _LOG["logId"], ":position": to_attribute(position)},
            "ConsistentRead": True,
        }


def _put(table: str, item: Item, condition: str) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": condition}}


def _entries(items: Sequence[Item], busy_until: float | None) -> Iterator[Item]:
    """The log's entry of each event of a request.

    Only the first has its bare position as key. Those behind it add a random fraction, so two requests that race for
    the tail meet in one item: one of them always wins. Meeting in several, each could take one, and both would lose.
    """
    for index, item in enumerate(items):
        position = item["logPosition"]["N"]
        key = f"{position}.{randbelow(10**15):015}" if index else position
        busy = {"busyUntil": to_attribute(round(busy_until, 3))} if busy_until else {}
        yield entry_of(item, key, items[-1]["logPosition"], **busy)


def entry_of(item: Item, key: str, last_position: dict[str, Any], **more: dict[str, Any]) -> Item:
    """The log's entry of an event, with this logKey, of an append that ends at `last_position`."""
    place = {**_LOG, "logKey": {"N": key}, "lastPosition": last_position, **more}
    entry = place | {name: value for name, value in item.items() if name not in ("requestId", "requestDigest")}
    # The JSON of an item is longer than the item as DynamoDB counts it.
    if len(json.dumps(entry)) > _ENTRY_BYTES:
        return place | {name: item[name] for name in ("aggregateId", "aggregateVersion", "logPosition")}
    return entry


def _verdict(error: ClientError, events: int) -> str:
    """A version is "taken". Nothing was wrong but the moment: "raced", "in flight" or "throttled". Or else "failed".

    The reasons of a cancelled transaction come in the order of its items: the events, then their log entries.
    """
    reasons = aws.cancellation_codes(error) or [aws.error_code(error)]
    if _FAILED_CONDITION in reasons[:events]:
        return "taken"
    if set(reasons) <= _BUSY | {_FAILED_CONDITION}:
        return "raced" if _FAILED_CONDITION in reasons else "in flight"
    if set(reasons) <= _BUSY | {_FAILED_CONDITION} | _THROTTLED:
        return "throttled"
    return "failed"

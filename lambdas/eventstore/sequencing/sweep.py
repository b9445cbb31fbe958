"""The sweep: finds events that no doorbell has brought into the log, and rings for them.

Guarantees: runs of a bounded size, each going on where the last one ended, pass over the whole events table again and
again; what a pass finds missing from the log, it rings for. All it repeats is doorbells, so it may be killed, or run
twice at once. It never writes to the log's pages: what it finds goes the way of all events, through the sequencer.
Costs, a pass: half an RRU for each 4 KB of the table, and 1 RRU for each aggregate.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lambdas.eventstore.dynamodb.items import Item, to_attribute
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.sequencing import doorbells
from lambdas.eventstore.sequencing.doorbells import Doorbells
from lambdas.eventstore.sequencing.log import Log

_CURSOR = {"part": to_attribute("sweep"), "firstPosition": to_attribute(0)}


def sweep(events: EventsTable, log: Log, ring: Callable[[Doorbells], None], limit: int, settled: str) -> int:
    """Look at the next `limit` events; `ring` for up to 100 aggregates at a time; answer with how many were behind.

    Events with ids from `settled` on are left alone: their own doorbells may be on the way.
    """
    behind = 0
    cursor = _load_cursor(log)
    while limit > 0:
        response = _scan(events, cursor, limit)
        limit -= response["ScannedCount"]
        for stragglers in _stragglers(log, (item for item in response["Items"] if _event_id(item) < settled)):
            ring(stragglers)
            behind += len(stragglers)
        # Only now: a run that dies while ringing is repeated by the next.
        cursor = response.get("LastEvaluatedKey")
        _save_cursor(log, cursor)
        if cursor is None:
            break  # The next run begins the next pass.
    return behind


def _stragglers(log: Log, items: Iterable[Item]) -> Iterator[Doorbells]:
    for batch in doorbells.batches(doorbells.of(map(doorbells.pointer, items))):
        sequenced = log.sequenced(list(batch))
        if stragglers := {aggregate: version for aggregate, version in batch.items() if version > sequenced[aggregate]}:
            yield stragglers


def _scan(events: EventsTable, cursor: Item | None, limit: int) -> dict[str, Any]:
    start = {"ExclusiveStartKey": cursor} if cursor else {}
    response: dict[str, Any] = events.client.scan(
        TableName=events.name,
        ProjectionExpression="aggregateId, aggregateVersion, eventId",
        Limit=limit,
        **start,
    )
    return response


def _event_id(item: Item) -> str:
    """Empty, and so before all others, for what is no event."""
    return str(item.get("eventId", {}).get("S", ""))


def _load_cursor(log: Log) -> Item | None:
    item = log.client.get_item(TableName=log.name, Key=_CURSOR).get("Item", {})
    return item["cursor"]["M"] if "cursor" in item else None


def _save_cursor(log: Log, cursor: Item | None) -> None:
    log.client.put_item(TableName=log.name, Item={**_CURSOR, **({"cursor": {"M": cursor}} if cursor else {})})

"""The sweep: rings for events that are not in the log, those first that were heard of.

Guarantees: each run rings anew for all that was set aside, however large the store. What nobody has heard of (its
records were lost, since the sequencer stood still for longer than the stream keeps them) is found by the pass: runs of
a bounded size, each going on where the last one ended, look at the whole events table again and again. A pass over N
events of B megabytes takes max(N / `events`, B / `megabytes`) runs. Once it has found an event that was lost, and until
a whole pass has found none, a run takes all the time it has: some 2,000 events a second.
It never writes to the log's pages: what it finds goes the way of all events, through the sequencer. All it repeats is
doorbells, so it may be killed, or run twice at once. Costs, a pass: half an RRU for each 4 KB of the table, and 1 RRU
for each aggregate.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from lambdas.eventstore.dynamodb.items import Item, to_attribute
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.retry import seconds_left
from lambdas.eventstore.sequencing import doorbells
from lambdas.eventstore.sequencing.doorbells import Doorbells
from lambdas.eventstore.sequencing.failures import Failures, SetAside
from lambdas.eventstore.sequencing.log import Log

SCAN_SECONDS = 5.0
"""What a request of the pass may take, with the marks of what it finds. Without so much time left none is begun."""

STREAM_SECONDS = 24 * 60 * 60
"""How long a stream keeps records (developerguide/Streams)."""

Ring = Callable[[Doorbells], None]
"""Rings for up to 100 aggregates. Returns when they are in other hands: met, set aside, or in a queue."""

_CURSOR = {"part": to_attribute("sweep"), "firstPosition": to_attribute(0)}


class Bounds(NamedTuple):
    """Of a run's part in the pass."""

    events: int
    megabytes: int
    """Unless an event was found that was lost, these two are how much it looks at."""

    settled: str
    """Events with ids from here on are left alone: their own doorbells may be on the way."""

    lost: str
    """Events with ids below are on no way any more, if nobody has set them aside."""


class _Place(NamedTuple):
    """Where a run begins; and whether this pass, or the one before it, has found an event that was lost."""

    cursor: Item | None = None
    lost: bool = False
    lost_before: bool = False


class Known(NamedTuple):
    """What waits in the queue of failures, so that it needs no finding."""

    aggregates: Collection[str] = frozenset()
    others: Collection[str] = frozenset()


def redrive(failures: Failures, log: Log, ring: Ring) -> Known:
    """Ring again for all that was set aside. What has been met is taken from the queue, as is what was rung for.

    A person's part stays: what is no doorbell, and what Lambda has given up on.
    """
    letters = failures.take()
    known = doorbells.of(pointer for letter in letters for pointer in letter.doorbells.items())
    _ring_for(ring, known, _sequenced(log, known))
    failures.delete([letter for letter in letters if letter.doorbells and not letter.others])
    failures.release([letter for letter in letters if letter.others or not letter.doorbells])
    return Known(known.keys(), {other for letter in letters for other in letter.others})


def sweep(events: EventsTable, log: Log, ring: Ring, set_aside: SetAside, bounds: Bounds, known: Known) -> int:
    """Go on with the pass; `ring` for up to 100 aggregates at a time; answer with how many were behind."""
    behind = 0
    place, limit, requests = _load(log), bounds.events, bounds.megabytes
    while seconds_left() > SCAN_SECONDS:
        urgent = place.lost or place.lost_before
        if not urgent and (limit <= 0 or requests <= 0):
            break
        response = _scan(events, place.cursor, None if urgent else limit)
        limit, requests = limit - response["ScannedCount"], requests - 1  # A request reads 1 MB at most.
        heard = doorbells.from_items(item for item in response["Items"] if _event_id(item) < bounds.settled)
        set_aside({}, [other for other in heard.others if other not in known.others])
        unheard = {aggregate: heard.doorbells[aggregate] for aggregate in heard.doorbells.keys() - known.aggregates}
        sequenced = _sequenced(log, unheard)
        behind += _ring_for(ring, unheard, sequenced)
        old = doorbells.from_items(item for item in response["Items"] if _event_id(item) < bounds.lost).doorbells
        lost = any(version > sequenced.get(aggregate, version) for aggregate, version in old.items())
        # Only now: a run that dies while ringing is repeated by the next.
        place = _Place(response.get("LastEvaluatedKey"), place.lost or lost, place.lost_before)
        _save(log, place if place.cursor else _Place(lost_before=place.lost))
        if not place.cursor:
            break  # The next run begins the next pass.
    return behind


def _sequenced(log: Log, heard: Doorbells) -> dict[str, int]:
    sequenced: dict[str, int] = {}
    for batch in doorbells.batches(heard):
        sequenced |= log.sequenced(list(batch))
    return sequenced


def _ring_for(ring: Ring, heard: Doorbells, sequenced: Mapping[str, int]) -> int:
    """Ring for those that the log does not have; answer with how many."""
    stragglers = {aggregate: version for aggregate, version in heard.items() if version > sequenced[aggregate]}
    for batch in doorbells.batches(stragglers):
        ring(batch)
    return len(stragglers)


def _scan(events: EventsTable, cursor: Item | None, limit: int | None) -> dict[str, Any]:
    start = {"ExclusiveStartKey": cursor} if cursor else {}
    most = {"Limit": limit} if limit else {}
    response: dict[str, Any] = events.client.scan(
        TableName=events.name, ProjectionExpression="aggregateId, aggregateVersion, eventId", **most, **start
    )
    return response


def _event_id(item: Item) -> str:
    """Empty, and so before all others, for what is no event."""
    return str(item.get("eventId", {}).get("S", ""))


def _load(log: Log) -> _Place:
    item = log.client.get_item(TableName=log.name, Key=_CURSOR).get("Item", {})
    return _Place(item["cursor"]["M"] if "cursor" in item else None, "lost" in item, "lostBefore" in item)


def _save(log: Log, place: _Place) -> None:
    item: Item = dict(_CURSOR)
    if place.cursor:
        item["cursor"] = {"M": place.cursor}
    if place.lost:
        item["lost"] = to_attribute(True)
    if place.lost_before:
        item["lostBefore"] = to_attribute(True)
    log.client.put_item(TableName=log.name, Item=item)

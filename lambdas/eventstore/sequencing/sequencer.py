"""The sequencer: gives every event of the events table its one position in the log.

Guarantees: each event enters the log exactly once, and those of an aggregate in version order, however often, late, out
of order or concurrently it is called, and wherever it is killed. Costs, for up to 100 events: 4 requests and those that
raise the marks, whatever the log's length. Fails: an event that cannot be read holds up its own aggregate, no other.

Why nothing enters twice: the new page goes right behind the checkpoint, which is read *before* the marks. The page is
accepted only if the log ends there, and then the marks, complete up to there, told of all that the log has.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from lambdas.eventstore.dynamodb.items import Item, Key, to_event
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.retry import FIRST_PAUSE, Retries
from lambdas.eventstore.sequencing import log
from lambdas.eventstore.sequencing.doorbells import BATCH, Doorbells, batches
from lambdas.eventstore.sequencing.log import Log, PositionTaken

_LOOKS = 5
"""How often to look for an event before it counts as absent. One event of a transaction can be heard of a moment before
the others can be read (developerguide/transaction-apis: reads of several items are not serializable as a unit)."""

OnPage = Callable[[Sequence[StoredEvent]], None]


class Sequencer:
    """`on_page` is told of each page that this sequencer has added."""

    def __init__(self, events: EventsTable, log: Log, on_page: OnPage = lambda page: None) -> None:
        self._events = events
        self._log = log
        self._on_page = on_page

    def sequence(self, doorbells: Doorbells) -> Doorbells:
        """Append to the log all events that `doorbells` name and it does not have, and what precedes them.

        Answers with the doorbells that stay unmet: the next event of the aggregate is absent, or is not an event. This
        does not pass by itself.
        """
        unmet: Doorbells = {}
        for batch in batches(doorbells):
            unmet |= self._sequence_batch(batch)
        return unmet

    def _sequence_batch(self, doorbells: Doorbells) -> Doorbells:
        looks = 0
        retries = Retries()
        while doorbells:
            checkpoint = self._log.checkpoint()
            sequenced = self._log.sequenced(list(doorbells))
            doorbells = _unmet(doorbells, sequenced)
            if events := self._next_events(doorbells, sequenced):
                page = self._write_page(checkpoint + 1, events)
                doorbells = _unmet(doorbells, {event.aggregate_id: event.aggregate_version for event in page})
            elif doorbells:
                looks += 1
                if looks == _LOOKS:
                    break
                retries.pause("an event that was heard of cannot be read", window=FIRST_PAUSE * 2**looks)
        return doorbells

    def _next_events(self, doorbells: Doorbells, sequenced: Mapping[str, int]) -> list[StoredEvent]:
        """Up to 100 events that the log does not have, in the order of their ids, which within an aggregate rise."""
        first = {aggregate: sequenced[aggregate] + 1 for aggregate in doorbells}
        # The next event of each aggregate first: one that has very many, or claims so, holds up no other.
        keys = ((aggregate, first[aggregate] + n) for n in range(BATCH) for aggregate in doorbells)
        named = (key for key in keys if key[1] <= doorbells[key[0]])
        found = self._events.get(islice(named, BATCH))
        events = {key: event for key, item in found.items() if (event := _readable(item))}
        runs = (_run(aggregate, version, events) for aggregate, version in first.items())
        return list(heapq.merge(*runs, key=lambda event: event.event_id))

    def _write_page(self, position: int, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
        """Put as many of `events` as a page holds; answer with the page that is at `position` now."""
        try:
            page = self._log.append(position, events)
        except PositionTaken:
            # Whoever has written that page may have died before confirming it, and until it is, nobody can go on.
            page = self._log.page_at(position)
            self._log.confirm(position, page)
        else:
            self._log.confirm(position, page)
            self._on_page(page)
        return page


def _unmet(doorbells: Doorbells, sequenced: Mapping[str, int]) -> Doorbells:
    return {aggregate: version for aggregate, version in doorbells.items() if version > sequenced.get(aggregate, 0)}


def _run(aggregate: str, version: int, events: Mapping[Key, StoredEvent]) -> Iterator[StoredEvent]:
    """The events of an aggregate from `version` on, up to the first that is missing."""
    while event := events.get((aggregate, version)):
        yield event
        version += 1


def _readable(item: Item) -> StoredEvent | None:
    """The event of an item; None for what somebody has put into the table by hand and is not one."""
    try:
        event = to_event(item)
    except (KeyError, TypeError, ValueError):
        return None
    return event if log.fits(event) else None

"""The sequencer: gives every event of the events table its one position in the log.

Guarantees: each event enters the log exactly once, and those of an aggregate in version order, however often, late, out
of order or concurrently it is called, and wherever it is killed. Costs, for up to 100 events: 4 requests and those that
raise the marks, whatever the log's length. Fails: an item that is no event holds up its own aggregate and no other.
AWS out of reach is raised, and passes; what does not pass by itself is answered with, to be set aside.

Why nothing enters twice: the new page goes right behind the checkpoint, which is read *before* the marks. The page is
accepted only if the log ends there, and then the marks, complete up to there, told of all that the log has.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore import aws, ksuids
from lambdas.eventstore.dynamodb.items import Item, Key, to_event
from lambdas.eventstore.dynamodb.paged_log import PositionTaken
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.retry import FIRST_PAUSE, OutOfTime, Retries, seconds_left
from lambdas.eventstore.sequencing import log
from lambdas.eventstore.sequencing.doorbells import BATCH, Doorbells, batches
from lambdas.eventstore.sequencing.log import Log

PAGE_SECONDS = 1.0
"""What a page may take. Without so much time left none is begun: a fifth of it does, unless DynamoDB is slow."""

_LOOKS = 5
"""How often to look for an event before it counts as absent. One event of a transaction can be heard of a moment before
the others can be read (developerguide/transaction-apis: reads of several items are not serializable as a unit)."""

_REMEMBERED = 10_000
"""How many absent events to remember between calls: one that was waited for in vain is not waited for again."""

OnPage = Callable[[Sequence[StoredEvent]], None]


class Outcome(NamedTuple):
    """The doorbells that a sequencer has not met."""

    unmet: Doorbells
    """The next event of the aggregate is absent, or is not an event. This does not pass by itself."""

    postponed: Doorbells
    """There was no time."""

    def __or__(self, other: Outcome) -> Outcome:
        return Outcome(self.unmet | other.unmet, self.postponed | other.postponed)


class Sequencer:
    """`on_page` is told of each page that this sequencer has added."""

    def __init__(self, events: EventsTable, log: Log, on_page: OnPage = lambda page: None) -> None:
        self._events = events
        self._log = log
        self._on_page = on_page
        self._absent: set[Key] = set()

    def sequence(self, doorbells: Doorbells) -> Outcome:
        """Append to the log all events that `doorbells` name and it does not have, and what precedes them.

        Raises:
            BotoCoreError, ClientError: AWS is out of reach. To call again with the same doorbells is safe.
        """
        outcome = Outcome({}, {})
        for batch in batches(doorbells):
            outcome |= self._sequence_apart(batch)
        return outcome

    def _sequence_apart(self, doorbells: Doorbells) -> Outcome:
        """Halve a batch that fails by itself, for whatever reason, until what fails is alone and holds up no other."""
        try:
            return self._sequence_batch(doorbells)
        except Exception as failure:
            if _passes(failure):
                raise
        if len(doorbells) == 1:
            return Outcome(unmet=doorbells, postponed={})
        rest = iter(doorbells.items())
        half = dict(islice(rest, len(doorbells) // 2))
        return self._sequence_apart(half) | self._sequence_apart(dict(rest))

    def _sequence_batch(self, doorbells: Doorbells) -> Outcome:
        unmet: Doorbells = {}
        looks = 0
        retries = Retries()
        while doorbells:
            if seconds_left() < PAGE_SECONDS:
                break
            checkpoint = self._log.checkpoint()
            sequenced = self._log.sequenced(list(doorbells))
            doorbells = _unmet(doorbells, sequenced)
            following = {aggregate: sequenced[aggregate] + 1 for aggregate in doorbells}
            items = self._next_items(doorbells, following)
            events = {key: event for key, item in items.items() if (event := _readable(item))}
            # The next item of an aggregate is there and is no event, or was waited for before: to look again is no use.
            vain = {key for key in following.items() if key not in events and (key in items or key in self._absent)}
            unmet |= {aggregate: doorbells[aggregate] for aggregate, _ in vain}
            doorbells = {aggregate: version for aggregate, version in doorbells.items() if aggregate not in unmet}
            if page := _in_order(following, events):
                page = self._write_page(checkpoint + 1, page)
                doorbells = _unmet(doorbells, {event.aggregate_id: event.aggregate_version for event in page})
            elif doorbells:
                looks += 1
                if looks == _LOOKS:
                    self._remember_absent((aggregate, following[aggregate]) for aggregate in doorbells)
                    return Outcome(unmet | doorbells, postponed={})
                try:
                    retries.pause("an event that was heard of cannot be read", window=FIRST_PAUSE * 2**looks)
                except OutOfTime:
                    break
        return Outcome(unmet, postponed=doorbells)

    def _next_items(self, doorbells: Doorbells, following: Mapping[str, int]) -> dict[Key, Item]:
        """Up to 100 items of `doorbells`, from the versions on that are `following` in the log."""
        # The next one of each aggregate first: one that has very many, or claims so, holds up no other.
        keys = ((aggregate, following[aggregate] + n) for n in range(BATCH) for aggregate in doorbells)
        named = (key for key in keys if key[1] <= doorbells[key[0]])
        return self._events.get(islice(named, BATCH))

    def _remember_absent(self, keys: Iterable[Key]) -> None:
        if len(self._absent) > _REMEMBERED:
            self._absent.clear()
        self._absent.update(keys)

    def _write_page(self, position: int, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
        """Put as many of `events` as a page holds; answer with the page that is at `position` now."""
        try:
            page = self._log.append(position, events)
        except PositionTaken:
            # Its writer may have died before confirming the page, and until that is done, nobody can go on.
            page = self._log.page_at(position)
            self._log.confirm(position, page)
        else:
            self._log.confirm(position, page)
            self._on_page(page)
        return page


def _passes(failure: Exception) -> bool:
    """Whether it is AWS that fails, or time, and not what was asked for."""
    if isinstance(failure, ClientError):
        return aws.error_code(failure) != "ValidationException"
    return isinstance(failure, (BotoCoreError, OutOfTime))


def _unmet(doorbells: Doorbells, sequenced: Mapping[str, int]) -> Doorbells:
    return {aggregate: version for aggregate, version in doorbells.items() if version > sequenced.get(aggregate, 0)}


def _in_order(following: Mapping[str, int], events: Mapping[Key, StoredEvent]) -> Sequence[StoredEvent]:
    """Those of `events` that lead on from `following`, in the order of their ids, which within an aggregate rise."""
    runs = (_run(aggregate, version, events) for aggregate, version in following.items())
    return list(heapq.merge(*runs, key=lambda event: event.event_id))


def _run(aggregate: str, version: int, events: Mapping[Key, StoredEvent]) -> Iterator[StoredEvent]:
    """The events of an aggregate from `version` on, up to the first that is missing."""
    while event := events.get((aggregate, version)):
        yield event
        version += 1


def _readable(item: Item) -> StoredEvent | None:
    """The event of an item; None for what somebody has put into the table by hand and is not one."""
    try:
        event = to_event(item)
        is_event = (
            isinstance(event.metadata, dict)
            and event.event_version >= 1
            and ksuids.is_ksuid(event.event_id)
            and log.fits(event)
        )
    except Exception:  # Whatever it is that reading stumbles over, nothing here waits for anybody, so it does not pass.
        return None
    return event if is_event else None

"""Keeps a projection up to date: reads the log from the checkpoint on, applies what is new, and writes in transactions.

Guarantees: each event counts exactly once, in the order of its aggregate, however many runners there are and wherever
one is killed. An event that the projection cannot take stops it there (`STOPPED`), until it is told to skip that event
or to try it again. Fails: AWS out of reach is raised, and the next run goes on from the checkpoint.

Costs, for an event that changes one item of up to 1 KB: at most 2 WRU and 1 RRU beyond reading the log, and 2 WRU for
each transaction; where events can be late, 2 WRU and 1 RRU more for the mark of its aggregate.

Where the store's sheet admits late events, give `late_seconds`. The runner then reads again all events that are younger
than that, and marks how far each aggregate is applied: what comes again is dropped, and what is missing before an event
is read from its aggregate. So it misses an event only if that shows in the log more than `late_seconds` after it was
stored, and then only until the next wanted event of the same aggregate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from lambdas.eventstore import ksuids
from lambdas.eventstore.contract import EventStore
from lambdas.eventstore.dynamodb.items import item_bytes
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.retry import Retries, seconds_left
from lambdas.projections.projection import Item, Key, Projection
from lambdas.projections.read_model import (
    ITEM_BYTES,
    PARTITION,
    RUNNING,
    SORT,
    STOPPED,
    TRANSACTION_BYTES,
    TRANSACTION_ITEMS,
    Checkpoint,
    ReadModel,
    stored_item,
)

PAGE = 100
"""Events that are read at once."""

MARGIN = 5.0
"""Seconds: with less of the time limit left, no further page is begun."""

_REMEMBERED = 10_000
"""Aggregates."""

_RESERVED = "/"
"""Begins the partitions of the runner's own items, the marks of how far an aggregate is applied."""

Deliver = Callable[[Sequence[StoredEvent]], None]


class Outdated(Exception):
    """Another version of the projection has built the generation."""


@dataclass
class Progress:
    """What a run did. `lag_events` and `lag_seconds` are what it found waiting: how many events, how old the oldest.

    There are more events than `lag_events` if the run has not `caught_up`. `newest` is the highest id of an event that
    was read, by this or an earlier run.
    """

    status: str = RUNNING
    applied: int = 0
    caught_up: bool = False
    newest: str = ""
    lag_events: int = 0
    lag_seconds: float = 0.0
    stop: Item | None = None

    def found(self, event: StoredEvent) -> None:
        """An event that is not applied yet."""
        self.lag_events += 1
        self.lag_seconds = max(self.lag_seconds, time.time() - ksuids.seconds_of(event.event_id))


class _Poison(Exception):
    """The projection cannot take this event."""

    def __init__(self, event: StoredEvent, reason: Exception) -> None:
        self.stop: Item = {
            "aggregateId": event.aggregate_id,
            "aggregateVersion": event.aggregate_version,
            "eventId": event.event_id,
            "eventType": event.event_type,
            "offset": event.offset,
            "reason": f"{type(reason).__name__}: {reason}"[:1000],
        }
        super().__init__(self.stop["reason"])


@dataclass(frozen=True)
class _Change:
    """What one event comes to. `items` has the mark of its aggregate too."""

    items: Mapping[Key, Item | None]
    counts: bool

    def check(self) -> None:
        """
        Raises:
            ValueError: no transaction can hold it.
        """
        for key, item in self.items.items():
            if item and (not {PARTITION, SORT}.isdisjoint(item)):
                raise ValueError(f"{PARTITION} and {SORT} are attributes of the key")
            if item and (size := item_bytes(stored_item(key, item))) > ITEM_BYTES:
                raise ValueError(f"an item of {size:,} bytes is over the limit of {ITEM_BYTES:,}")
        if not _Batch(dict(self.items)).fits:
            raise ValueError(f"{len(self.items)} items are too many, or too large, for one transaction")


@dataclass
class _Batch:
    """What one transaction is to write, and the events that it comes of."""

    items: dict[Key, Item | None] = field(default_factory=dict)
    events: list[StoredEvent] = field(default_factory=list)

    def joined(self, event: StoredEvent, change: _Change) -> _Batch:
        return _Batch({**self.items, **change.items}, [*self.events, *([event] if change.counts else [])])

    @property
    def fits(self) -> bool:
        """With the checkpoint, which may tell of a stop."""
        size = sum(item_bytes(stored_item(key, item)) for key, item in self.items.items() if item)
        return len(self.items) < TRANSACTION_ITEMS and size + ITEM_BYTES <= TRANSACTION_BYTES


@dataclass
class _Place:
    """Where a runner is in one pass over the log. `stored` is the checkpoint as the table has it, and `beyond` says
    whether the pass has come to where the one before had read to."""

    generation: int
    stored: Checkpoint | None
    checkpoint: Checkpoint
    began: float
    beyond: bool


class Runner:
    """Runs one projection on one store. It may be kept for as long as its process lives.

    Args:
        late_seconds: how late an event may show in the log; 0 where the store's sheet rules late events out.
        deliver: is given the events of each transaction before that is written.
    """

    def __init__(
        self,
        store: EventStore,
        model: ReadModel,
        projection: Projection,
        *,
        late_seconds: float = 0.0,
        deliver: Deliver = lambda events: None,
    ) -> None:
        self.model = model
        self.projection = projection
        self._store = store
        self._late_seconds = late_seconds
        self._deliver = deliver
        self._applied: dict[tuple[int, str], int] = {}
        """By generation and aggregate, a version up to which all is applied; by now it may be more."""

    def run(self, generation: int | None = None) -> Progress:
        """Applies what is in the log, as far as the time limit around this allows (`retry.time_limit`).

        Args:
            generation: the live one if not given.

        Raises:
            Outdated: another version of the projection has built the generation.
        """
        if generation is None:
            generation = self.model.generations().live
        progress, retries = Progress(), Retries()
        while not self._pass(generation, progress):
            retries.pause("other runners keep moving the checkpoint")
        return progress

    def go_on(self, *, skip: bool) -> bool:
        """Lets the live generation go on behind the event at which it stopped, or try it again; False if it runs."""
        generation = self.model.generations().live
        while (checkpoint := self.model.checkpoint(generation)) and checkpoint.status == STOPPED:
            assert checkpoint.stop
            passed_over = checkpoint.stop["eventId"] if skip else checkpoint.skip
            if self.model.commit(
                generation, checkpoint, replace(checkpoint, status=RUNNING, stop=None, skip=passed_over)
            ):
                return True
        return False

    def _pass(self, generation: int, progress: Progress) -> bool:
        """Reads the log from the checkpoint on. False if somebody else moved the checkpoint meanwhile."""
        progress.lag_events = progress.applied
        checkpoint = self.model.checkpoint(generation)
        if checkpoint and checkpoint.version != self.projection.version:
            raise Outdated(
                f"generation {generation} of {self.projection.name} was built by version {checkpoint.version}, and "
                f"this is version {self.projection.version}: rebuild it"
            )
        start = checkpoint or Checkpoint(self.projection.version)
        place = _Place(generation, checkpoint, start, time.time(), beyond=start.reached == start.offset)
        cursor, more = start.offset, True
        while more and place.checkpoint.status == RUNNING and seconds_left() > MARGIN:
            page = self._store.get_all_events(cursor, PAGE)
            if not self._apply_all(page.events, place, progress):
                return False
            cursor, more = page.next, page.has_more
        progress.status, progress.stop = place.checkpoint.status, place.checkpoint.stop
        progress.newest = place.checkpoint.newest
        progress.caught_up = not more and place.checkpoint.status == RUNNING
        if place.checkpoint.status != RUNNING and not progress.lag_events:
            for event in self._store.get_all_events(place.checkpoint.reached, 1).events:
                progress.found(event)
        return True

    def _apply_all(self, events: Sequence[StoredEvent], place: _Place, progress: Progress) -> bool:
        """Applies the events of a page, in as few transactions as can hold them. False if one was fenced off."""
        wanted = [event for event in events if self.projection.wants(event)]
        marks = self._marks(wanted, place.generation) if self._late_seconds else {}
        items: dict[Key, Item | None] = {}
        self._load(items, self._foreseen(wanted, marks), place.generation)
        batch = _Batch()
        for index, event in enumerate(events):
            for due in self._due(event, marks):
                progress.found(due)
                try:
                    change = self._change(due, items, place)
                except _Poison as poison:
                    return self._write(batch, place, events[:index], progress, poison)
                if not batch.joined(due, change).fits:
                    if not self._write(batch, place, events[:index], progress):
                        return False
                    batch = _Batch()
                batch = batch.joined(due, change)
                items.update(change.items)
        return self._write(batch, place, events, progress)

    def _due(self, event: StoredEvent, marks: dict[str, int]) -> Iterator[StoredEvent]:
        """What is to be applied now that `event` is read: mostly itself, or nothing."""
        wanted = self.projection.wants(event)
        if not self._late_seconds:
            if wanted:
                yield event
            return
        mark = marks.get(event.aggregate_id)
        if mark is None or event.aggregate_version <= mark:
            return
        if wanted:
            yield from self._between(event.aggregate_id, mark, event.aggregate_version)
            yield event
        if wanted or event.aggregate_version == mark + 1:
            marks[event.aggregate_id] = event.aggregate_version

    def _between(self, aggregate_id: str, first: int, last: int) -> Iterator[StoredEvent]:
        """The wanted events of an aggregate between two versions, read from the aggregate itself."""
        while first + 1 < last:
            events = self._store.get_aggregate_events(aggregate_id, first + 1, last - first - 1).events
            yield from filter(self.projection.wants, events)
            first = events[-1].aggregate_version

    def _foreseen(self, wanted: Sequence[StoredEvent], marks: Mapping[str, int]) -> set[Key]:
        """The keys of the items that a page will touch, to be read together."""
        keys: set[Key] = set()
        for event in wanted:
            if event.aggregate_version > marks.get(event.aggregate_id, 0):
                with suppress(Exception):  # when it is that event's turn, it is poison
                    keys.update(self.projection.touches(event))
        return keys

    def _load(self, items: dict[Key, Item | None], keys: Collection[Key], generation: int) -> None:
        if unknown := [key for key in keys if key not in items]:
            items.update(dict.fromkeys(unknown))
            items.update(self.model.items(generation, unknown))

    def _change(self, event: StoredEvent, items: dict[Key, Item | None], place: _Place) -> _Change:
        """
        Raises:
            _Poison
        """
        mark = {_mark(event.aggregate_id): {"version": event.aggregate_version}} if self._late_seconds else {}
        if event.event_id == place.checkpoint.skip:
            return _Change(mark, counts=False)
        try:
            keys = self.projection.touches(event)
        except Exception as reason:
            raise _Poison(event, reason) from reason
        self._load(items, keys, place.generation)
        there = {key: item for key in keys if (item := items[key]) is not None}
        try:
            changes = self.projection.apply(event, there)
            if any(key.partition.startswith(_RESERVED) for key in changes):
                raise ValueError(f"partitions that begin with {_RESERVED!r} are the runner's")
            change = _Change({**changes, **mark}, counts=True)
            change.check()
        except Exception as reason:
            raise _Poison(event, reason) from reason
        return change

    def _marks(self, wanted: Sequence[StoredEvent], generation: int) -> dict[str, int]:
        """How far the aggregates of these events are applied. What this process remembers can only be less."""
        marks = {event.aggregate_id: self._applied.get((generation, event.aggregate_id), 0) for event in wanted}
        new = {event.aggregate_id for event in wanted if event.aggregate_version > marks[event.aggregate_id]}
        stored = self.model.items(generation, [_mark(aggregate_id) for aggregate_id in new])
        return marks | {
            aggregate_id: stored.get(_mark(aggregate_id), {"version": 0})["version"] for aggregate_id in new
        }

    def _write(
        self,
        batch: _Batch,
        place: _Place,
        read: Sequence[StoredEvent],
        progress: Progress,
        poison: _Poison | None = None,
    ) -> bool:
        """Writes the batch together with the checkpoint, which moves as far as what was read is settled."""
        beyond = place.beyond or place.checkpoint.reached in [event.offset for event in read]
        moved = replace(
            place.checkpoint,
            offset=self._settled(read, place),
            reached=read[-1].offset if read and beyond else place.checkpoint.reached,
            newest=max([place.checkpoint.newest, *(event.event_id for event in read)]),
            applied=place.checkpoint.applied + len(batch.events),
            status=STOPPED if poison else RUNNING,
            stop=poison.stop if poison else None,
        )
        if moved == place.checkpoint and not batch.items:
            place.beyond = beyond
            return True
        if batch.events:
            self._deliver(batch.events)
        if not self.model.commit(place.generation, place.stored, moved, batch.items):
            return False
        place.stored = place.checkpoint = replace(moved, revision=moved.revision + 1)
        place.beyond = beyond
        progress.applied += len(batch.events)
        self._remember(place.generation, batch.items)
        return True

    def _settled(self, read: Sequence[StoredEvent], place: _Place) -> str | None:
        """The offset of the last event before which none can show any more: one that had its time before this pass."""
        if not self._late_seconds:
            return read[-1].offset if read else place.checkpoint.offset
        limit = ksuids.first_of(place.began - self._late_seconds)
        return next((event.offset for event in reversed(read) if event.event_id < limit), place.checkpoint.offset)

    def _remember(self, generation: int, items: Mapping[Key, Item | None]) -> None:
        if len(self._applied) >= _REMEMBERED:
            self._applied.clear()
        for key, item in items.items():
            if item and key.partition.startswith(_RESERVED):
                self._applied[generation, key.sort] = item["version"]


def _mark(aggregate_id: str) -> Key:
    return Key(f"{_RESERVED}{aggregate_id}", aggregate_id)

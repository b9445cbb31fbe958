"""A recorded history of concurrent writers and readers, and what a total order has to keep in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from uuid import uuid4

from lambdas.eventstore import EventStore, StoredEvent
from lambdas.eventstore.contract import Append
from lambdas.eventstore.events import NewEvent
from lambdas.eventstore.retry import time_limit

Pause = Callable[[], None]

REQUEST_SECONDS = 60.0
MOST_PAGES = 3000


@dataclass(frozen=True)
class Stored:
    """One append: its time on the clock of the history, and the positions it was given."""

    began: float
    ended: float
    writer: int
    positions: Sequence[int]


@dataclass
class History:
    """`clock` is shared by all writers; lists are appended to by several threads, which is atomic."""

    clock: Callable[[], float]
    appends: list[Stored] = field(default_factory=list)

    def write(self, store: EventStore, writer: int, sizes: Iterable[int], pause: Pause = lambda: None) -> None:
        """Append events of one aggregate, as many in each request as `sizes` say, with a pause before each."""
        version, aggregate = 0, f"{writer} {uuid4()}"
        for size in sizes:
            events = (NewEvent(aggregate, version + n, "TICK", 1, {"n": n}) for n in range(1, size + 1))
            append = Append(tuple(events))
            pause()
            began = self.clock()
            with time_limit(REQUEST_SECONDS):
                stored = store.store_events(append)
            self.appends.append(Stored(began, self.clock(), writer, [int(event.offset or 0) for event in stored]))
            version += size


def shares(total: int, largest: int, draw: Random) -> list[int]:
    """Sizes of 1 to `largest` that add up to `total`."""
    sizes: list[int] = []
    while total > sum(sizes):
        sizes.append(min(total - sum(sizes), draw.randint(1, largest)))
    return sizes


def tail(store: EventStore, count: int, limit: int, pause: Pause) -> list[StoredEvent]:
    """Follow the log from its start until `count` events were read; fewer if they do not come."""
    read: list[StoredEvent] = []
    after = None
    for _ in range(MOST_PAGES):
        with time_limit(REQUEST_SECONDS):
            page = store.get_all_events(after, limit)
        read.extend(page.events)
        after = page.next
        if len(read) >= count:
            break
        if not page.has_more:
            pause()
    return read


def check_order(history: History, readers: Sequence[Sequence[StoredEvent]], events: int) -> None:
    """Positions are dense, requests are whole and in real-time order, and all readers read just that."""
    positions = sorted(position for append in history.appends for position in append.positions)
    assert positions == list(range(1, events + 1)), "positions count from 1 without hole or repeat"

    for append in history.appends:
        first = append.positions[0]
        assert list(append.positions) == list(range(first, first + len(append.positions))), "a request is contiguous"

    assert not out_of_real_time_order(history.appends), "an append that ended before another began stands before it"

    ids = [[event.event_id for event in read] for read in readers]
    assert all(read == ids[0] for read in ids), "every reader reads the same events in the same order"
    for read in readers:
        assert [event.offset for event in read] == [str(n) for n in range(1, events + 1)], "each position exactly once"
        for name in {event.aggregate_id for event in read}:
            versions = [event.aggregate_version for event in read if event.aggregate_id == name]
            assert versions == list(range(1, len(versions) + 1)), "an aggregate's events stand in version order"


def out_of_real_time_order(appends: Iterable[Stored]) -> list[tuple[Stored, Stored]]:
    """Pairs of which the first, though it stands before the second in the log, began after the second had ended."""
    in_log_order = sorted(appends, key=lambda append: append.positions[0])
    latest_start = in_log_order[0]
    wrong = []
    for earlier, later in pairwise(in_log_order):
        latest_start = max(latest_start, earlier, key=lambda append: append.began)
        if later.ended < latest_start.began:
            wrong.append((latest_start, later))
    return wrong

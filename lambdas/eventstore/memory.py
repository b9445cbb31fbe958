"""The contract in a few dicts: the oracle that every other store is compared with, and a fake for unit tests.

Guarantees what the strictest pattern does: one total order, strong reads, dense offsets, no late events.
Holds everything in memory, safe for threads of one process.
"""

import threading
import time
from collections.abc import Callable, Sequence

from lambdas.eventstore import ksuids, pages
from lambdas.eventstore.contract import AggregatePage, Append, EventStore, LogPage
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.offsets import to_position


class MemoryEventStore(EventStore):
    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._log: list[StoredEvent] = []
        self._aggregates: dict[str, list[StoredEvent]] = {}
        self._requests: dict[tuple[str, str], Sequence[StoredEvent]] = {}
        self._lock = threading.Lock()

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        with self._lock:
            if conflict := append.conflict(self._current_version):
                if append.request_id and (stored := self._requests.get((append.request_id, append.digest))):
                    return stored
                raise conflict
            newest = self._log[-1].event_id if self._log else None
            ids = ksuids.issue(len(append.events), self._now(), newest)
            stored = [
                event.stored(event_id, str(position))
                for position, (event, event_id) in enumerate(zip(append.events, ids, strict=True), len(self._log) + 1)
            ]
            self._log.extend(stored)
            for event in stored:
                self._aggregates.setdefault(event.aggregate_id, []).append(event)
            if append.request_id:
                self._requests[append.request_id, append.digest] = stored
            return stored

    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        with self._lock:
            events, more = pages.take(self._aggregates.get(aggregate_id, [])[from_version - 1 :], limit)
        return AggregatePage(events, events[-1].aggregate_version + 1 if more else None)

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        position = to_position(after)
        with self._lock:
            events, more = pages.take(self._log[position : position + limit + 1], limit)
        return LogPage(events, events[-1].offset if events else after, more)

    def _current_version(self, aggregate_id: str) -> int:
        return len(self._aggregates.get(aggregate_id, []))

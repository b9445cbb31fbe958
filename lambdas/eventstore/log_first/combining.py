"""How appends that meet are stored together: with one page, by the append that puts it.

An append that has met others leaves its request among the pending ones, looks now and then whether somebody has stored
it, and now and then tries to put the next page itself, with the pending requests that fit. A request is left only when
the versions that it builds on are in the log. So all that can still refuse it is that a version which it names is
taken, which is final: any append that finds them free, after having read the last page, may store it.

Costs: about 3 WRU an append in all, for items of up to 1 KB, and a few RRU. All pauses are multiples of what a request
takes here and now.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws, ksuids
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.log_first.log import (
    COMBINED_BYTES,
    INLINE_BYTES,
    Entry,
    ForEach,
    Page,
    Request,
    compressed,
    key_of,
)
from lambdas.eventstore.log_first.pending import PARTS, PendingRequest, PendingTable

LEADERS = 1.0
"""Of all pending appends, about how many try to put the next page: at once, and after each look."""

LOOKS = 1.0, 4.0
"""From one look for its own events to the next."""

BUSY = 20.0, 0.5
"""How long after a page of several requests the next append leaves its own at once: for any such page, and more for
each append that its writer knew of."""

PATIENCE = 4.0, 0.3
"""How long the writer of such a page may take to put its events until another one does: for any page, and more for each
of its events, of which it puts ten at a time."""

IN_A_ROW = 9
"""Pages that a process puts without a look at the pending requests, as long as nobody else puts one. It knows the last
page, and so is quicker than all others."""

_CHECKED = 100
"""Versions that are looked up with one request, the limit of BatchGetItem."""


class Combining:
    """A process's part in it. The table of this name is keyed (part, name)."""

    def __init__(self, client: Any, name: str, events: EventsTable, for_each: ForEach) -> None:
        self._pending = PendingTable(client, name, for_each)
        self._events = events
        self._new: tuple[str, float] = "", 0.0
        """A page, by the id of its last event, and when this process has first seen it."""
        self._last_put, self._in_a_row = "", 0
        """Of this process: its last page, by the id of its last event; how many it has put without a look."""
        self.latency = 0.0
        """Seconds that the last look at the end of the log took."""
        self.crowd = 1
        """How many appends are in each other's way, as far as this process has seen."""

    def seen(self, tail: Page | None, latency: float) -> None:
        self.latency = latency
        self.crowd = tail.crowd if tail else 1

    def put(self, page: Page, behind: Page | None, looked: bool) -> None:
        """This process has put a page."""
        follows = behind is not None and behind.last_event[1] == self._last_put
        self._in_a_row = 0 if looked else self._in_a_row + 1 if follows else 1
        self._last_put = page.last_event[1]

    def leave(self, request: Request, tail: Page | None) -> bool:
        """Leave a request for others to store; whether it can be."""
        append = request.append
        at_the_end = tail.ids() if tail else {}
        if any((event.aggregate_id, event.aggregate_version) in at_the_end for event in append.events):
            return False  # It is stored, or to be refused.
        builds_on = [(aggregate, version) for aggregate, version in append.expected.items() if version]
        ids = [at_the_end[key] for key in builds_on if key in at_the_end]
        ids += self._events.ids(key for key in builds_on if key not in at_the_end)
        if len(ids) < len(builds_on):
            return False
        entries = request.entries(ksuids.issue(len(append.events), time.time(), max(ids, default=None)))
        if not request.fits_a_page(entries):
            return False
        request.pending = entries
        try:
            self._pending.put(entries)
        except ClientError as error:
            if aws.error_code(error) in aws.THROTTLED:
                request.pending = []
            raise
        return True

    def withdraw(self, request: Request) -> None:
        """Nobody has to store it any more."""
        if request.pending:
            self._pending.remove(request.pending[0]["eventId"])
            request.pending = []

    def awaited(self, request: Request) -> list[StoredEvent]:
        """The events of a pending request once they are stored; none if it is time to try and store them.

        Raises:
            OutOfTime
        """
        entries = request.pending
        key, event_id = key_of(entries[0]), entries[0]["eventId"]
        leads = request.looks == 0 and self._leads()
        while not leads:
            request.wait(random.uniform(*LOOKS) * self.latency)
            request.looks += 1
            found = self._events.get([key], ["eventId", "logPosition"]).get(key)
            if found and found["eventId"]["S"] == event_id:
                events = enumerate(map(StoredEvent.from_wire, entries), int(found["logPosition"]["N"]))
                return [event.at(str(position)) for position, event in events]
            request.lost = found is not None
            leads = request.lost or self._leads()
        request.looks += 1
        return []

    def _leads(self) -> bool:
        return random.random() * self.crowd < LEADERS

    def pending(self) -> list[PendingRequest]:
        return self._pending.read()

    def glance(self, entries: Sequence[Entry], tail: Page | None) -> list[Entry] | None:
        """As `fitting`, for a request that is not pending itself; None also if this is no time to look for others."""
        if tail is None:
            return None
        if tail.busy_until > time.time():
            pending = self._pending.read()
        elif self._in_a_row >= IN_A_ROW and tail.last_event[1] == self._last_put:
            pending = self._pending.read([random.randrange(PARTS)])
        else:
            return None
        if pending:
            return self.fitting(entries, pending)
        self.crowd = 1
        return []

    def fitting(self, entries: Sequence[Entry], pending: Sequence[PendingRequest]) -> list[Entry] | None:
        """Of pending requests those that can go behind these entries into one page, which is the next one behind the
        last that this process has read. None if the entries themselves do not fit.
        """
        own = PendingRequest(entries[0]["eventId"], entries, len(compressed(entries)))
        checked, versions = list[PendingRequest](), set(own.first_versions)
        for request in pending:
            if request.name != own.name and len(versions) + len(request.first_versions) <= _CHECKED:
                checked.append(request)
                versions |= request.first_versions
        taken = self._events.get(versions, ["eventId"]).keys()
        if not taken.isdisjoint(own.first_versions):
            return None
        free = [request for request in checked if taken.isdisjoint(request.first_versions)]
        self.crowd = 1 + len(free)
        # Of entries that do not fit a page, the payloads are not in it.
        named, size, fitting = set(map(key_of, entries)), min(own.size, INLINE_BYTES), list[Entry]()
        for request in free:
            if size + request.size <= COMBINED_BYTES and named.isdisjoint(request.first_versions):
                size, fitting = size + request.size, [*fitting, *request.entries]
                named |= request.first_versions
        return fitting

    def busy_until(self) -> float:
        base, each = BUSY
        return time.time() + (base + each * self.crowd) * self.latency

    def is_new(self, page: Page) -> bool:
        """Whether its writer is probably still about to put its events."""
        last = page.last_event[1]
        if self._new[0] != last:
            self._new = last, time.monotonic()
        base, each = PATIENCE
        return time.monotonic() - self._new[1] < (base + each * len(page.entries)) * self.latency

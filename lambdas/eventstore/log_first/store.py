"""A log whose pages are the commits: one conditional put decides a request, and its events follow into their own table.

Guarantees: one dense total order that follows real time, read strongly consistently both by aggregate and as a whole;
a request shows to all readers in one instant, with all its events. Costs, for items of up to 1 KB: 2 WRU + 3 RRU in 5
requests, less what the process knows of the last page. Fails: pages are put one at a time, over all aggregates; appends
that come faster wait, and raise when their Lambda's time is over.

When a page is put, all events of the pages before it are in the table of events: its writer has looked, and has put
what a writer that was slow or died left behind. So the heads of aggregates, read in the table after the last page, are
exact, and so are aggregates read in the table after the last page and merged with it.

Appends that meet are stored together, where there is a table for that (`combining`): a page then holds the events of
several requests. `tests/log_first` explores all of this.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws, ksuids, pages
from lambdas.eventstore.contract import AggregatePage, Append, EventStore, LogPage
from lambdas.eventstore.dynamodb.appends import HALF_VISIBLE, VERSION_IS_FREE, own_events
from lambdas.eventstore.dynamodb.items import Item
from lambdas.eventstore.dynamodb.paged_log import PositionTaken
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.errors import VersionConflict
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.log_first.log import AsStored, Entry, ForEach, Heads, Page, Request, RequestLog
from lambdas.eventstore.retry import Retries

if TYPE_CHECKING:  # Only where appends combine, their package holds these.
    from lambdas.eventstore.log_first.combining import Combining
    from lambdas.eventstore.log_first.pending import PendingRequest

_PASSING = {*aws.THROTTLED, "TransactionConflictException"}
"""Errors of a request that pass. No transaction of this store can be in the way, but another's."""

_PASSED_ON = 0.5
"""Of the time that the log is likely to be busy for, what an append leaves in its page. With none of it, an append that
knows the last page, and so is quicker, would win again and again; with all of it, the log would be idle for a time."""

_KNOWN = 10_000
"""Aggregates whose heads are remembered. At most 10 MB, with ids as long as they may be."""


class Diverged(Exception):
    """The table of events and the log do not belong together: one of them was changed by hand, or set back."""


class LogFirstEventStore(EventStore):
    """`events` is keyed (aggregateId, aggregateVersion), `log` (part, firstPosition).

    `for_each` makes the requests that can be made at the same time: one by one, or with threads. `as_stored` adds what
    a pattern keeps beside each event, in its page and in its item. Without `combining`, appends take turns;
    then `ids_rise_over_the_log` can make event ids rise with offsets over all aggregates, and not only within each: a
    writer whose clock is ahead lifts all ids after its.
    """

    def __init__(
        self,
        client: Any,
        events: str,
        log: str,
        for_each: ForEach = map,
        as_stored: AsStored = lambda entry: entry,
        ids_rise_over_the_log: bool = False,
        combining: Callable[[EventsTable], Combining] | None = None,
    ) -> None:
        assert not (combining and ids_rise_over_the_log), "pending requests have their ids before their positions"
        self._client = client
        self._events = EventsTable(client, events, offset="logPosition")
        self._log = RequestLog(client, log)
        self._combining = combining(self._events) if combining else None
        self._for_each = for_each
        self._as_stored = as_stored
        self._ids_rise_over_the_log = ids_rise_over_the_log
        self._settled = ""
        """The id of the last event of a page whose events are all in the table, as this process knows."""
        self._known: tuple[str, Heads] = "", {}
        """The heads that this process knows, as of the page with this id of its last event."""

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        request = Request(append, self._as_stored)
        try:
            stored = self._store(request)
        except Exception:
            self._withdraw(request)
            raise
        self._withdraw(request)
        self._events.remember(stored)
        return stored

    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        tail = self._log.tail()
        events, more = pages.take(self._events_of(tail, aggregate_id, from_version, limit + 1), limit)
        if not more and (events or from_version == 1):
            last = (events[-1].aggregate_version, events[-1].event_id) if events else (0, "")
            self._known_as_of(tail)[aggregate_id] = last
        return AggregatePage(events, events[-1].aggregate_version + 1 if more else None)

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        return self._log.read(after, limit)

    def settle(self) -> None:
        """See to it that all events of the log are in the table of events."""
        tail = self._log.tail()
        if tail and not self._settle(tail):
            self._put_events(self._log.complete(tail))

    def _store(self, request: Request) -> Sequence[StoredEvent]:
        append, combining, turn, half_visible = request.append, self._combining, request.turn, Retries()
        raced = False
        while True:
            began, busy_for = time.monotonic(), 0.0
            try:
                if combining and request.pending and (stored := combining.awaited(request)):
                    return stored
                began = time.monotonic()
                tail, pending = self._look(request)
                busy_for = max(0.0, tail.busy_until - time.time()) if tail else 0.0
                if (busy_for or raced) and not request.pending and self._leave(request, tail):
                    continue
                if busy_for and not request.pending and turn.give_way(busy_for):
                    continue
                if not self._settle(tail):
                    request.wait(time.monotonic() - began)
                    continue
                entries = request.pending
                others = combining.fitting(entries, pending) if combining and entries and not request.lost else None
                if others is None:
                    heads = self._heads(tail, append)
                    versions = {aggregate: version for aggregate, (version, _) in heads.items()}
                    if conflict := append.conflict(versions.__getitem__):
                        if stored := self._stored_unless(conflict, request):
                            return stored
                        half_visible.pause(HALF_VISIBLE)  # In a page behind `tail`, which the next attempt settles.
                        continue
                    previous = max(heads[aggregate][1] for aggregate in append.expected)
                    if self._ids_rise_over_the_log and tail:
                        previous = max(previous, tail.last_event[1])
                    entries = request.entries(ksuids.issue(len(append.events), time.time(), previous or None))
                    if combining:
                        others = combining.glance(entries, tail)
                busy_until = max(turn.busy_until or 0.0, time.time() + _PASSED_ON * busy_for if busy_for else 0.0)
                return self._commit(request, tail, entries, others, busy_until)
            except PositionTaken:
                raced = True
                if not combining or request.body:
                    turn.raced(time.monotonic() - began, busy_for, in_flight=False)
            except ClientError as error:
                if aws.error_code(error) not in _PASSING:
                    raise
                turn.throttled(time.monotonic() - began, busy_for)

    def _commit(
        self,
        request: Request,
        tail: Page | None,
        entries: Sequence[Entry],
        others: Sequence[Entry] | None,
        busy_until: float,
    ) -> Sequence[StoredEvent]:
        """Put the next page, and then its events. `others` is None if nobody has looked for any.

        Raises:
            PositionTaken
        """
        combining, crowd = self._combining, 1
        if combining and others is not None and combining.crowd > 1:
            busy_until, crowd = combining.busy_until(), combining.crowd
        page = self._log.append(request, entries, tail.last + 1 if tail else 1, busy_until, others or [], crowd)
        self._known = page.last_event[1], self._known_as_of(tail) | page.heads()
        if combining:
            combining.put(page, tail, looked=others is not None)
        self._put_events(page)
        return page.events()[: len(entries)]

    def _look(self, request: Request) -> tuple[Page | None, list[PendingRequest]]:
        """The last page and, for a request that is pending itself, the pending ones."""
        began, tail = time.monotonic(), self._log.tail()
        if not self._combining:
            return tail, []
        self._combining.seen(tail, time.monotonic() - began)
        return tail, self._combining.pending() if request.pending and not request.lost else []

    def _leave(self, request: Request, tail: Page | None) -> bool:
        return self._combining.leave(request, tail) if self._combining else False

    def _withdraw(self, request: Request) -> None:
        if self._combining:
            self._combining.withdraw(request)

    def _stored_unless(self, conflict: VersionConflict, request: Request) -> list[StoredEvent]:
        """The events of a request, if an attempt of it is stored; none if only a part of them can be seen."""
        append = request.append
        recognisable = request.tried or append.request_id is not None
        own = own_events(self._events, append, request.tried) if recognisable else []
        if not own:
            raise conflict
        return own if len(own) == len(append.events) else []

    def _settle(self, page: Page | None) -> bool:
        """See to it that all events of the last page are in the table. False: its writer is probably still at it.

        Its last event is put when all others are stored, so this one tells for all.
        """
        if page is None:
            return True
        key, event_id = page.last_event
        if event_id == self._settled:
            return True
        if stored := self._events.get([key], ["eventId"]):
            if stored[key]["eventId"]["S"] != event_id:
                raise Diverged(f"in the place of event {event_id}, {key}, the table of events has another one")
            self._settled = event_id
        elif self._combining and page.crowd > 1 and self._combining.is_new(page):
            return False
        else:
            self._put_events(self._log.complete(page))
        return True

    def _put_events(self, page: Page) -> None:
        *others, last = page.items()
        for _ in self._for_each(self._put_event, others):
            pass
        self._put_event(last)
        self._settled = page.last_event[1]

    def _put_event(self, item: Item) -> None:
        """Put an event of a page, unless somebody has."""
        try:
            self._client.put_item(TableName=self._events.name, Item=item, ConditionExpression=VERSION_IS_FREE)
        except ClientError as error:
            if aws.error_code(error) != "ConditionalCheckFailedException":
                raise

    def _heads(self, tail: Page | None, append: Append) -> Heads:
        """The heads of aggregates as of the last page, whose events are in the table; of those of `append` at least.

        Of later pages the table may have a part: then the position behind `tail` is taken.
        """
        heads = self._known_as_of(tail)
        unknown = [aggregate for aggregate in append.expected if aggregate not in heads]
        heads.update(zip(unknown, self._for_each(self._events.head, unknown), strict=True))
        return heads

    def _known_as_of(self, tail: Page | None) -> Heads:
        """The heads that are known as of the last page, to add to. They are good as long as it is the last one."""
        page = tail.last_event[1] if tail else ""
        if self._known[0] != page or len(self._known[1]) >= _KNOWN:
            self._known = page, {}
        return self._known[1]

    def _events_of(self, tail: Page | None, aggregate_id: str, version: int, page_size: int) -> Iterator[StoredEvent]:
        """The aggregate's events up to the end of the last page: those of the table, and then those of the page.

        Of later pages the table may have a part.
        """
        if tail is None:
            return
        for event in map(self._events.event, self._events.items(aggregate_id, version, page_size)):
            position = int(event.offset or 0)
            if event.aggregate_version != version and position < tail.first:
                raise Diverged(f"version {version} of aggregate {aggregate_id!r} was deleted from the table of events")
            if event.aggregate_version != version or position > tail.last:
                break
            yield event
            version += 1
        if any(entry["aggregateId"] == aggregate_id and entry["aggregateVersion"] >= version for entry in tail.entries):
            for event in self._log.complete(tail).events():
                if event.aggregate_id == aggregate_id and event.aggregate_version >= version:
                    yield event

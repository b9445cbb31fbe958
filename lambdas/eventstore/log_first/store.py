"""A log whose pages are the commits: one conditional put decides a request, and its events follow into their own table.

Guarantees: one dense total order that follows real time, read strongly consistently both by aggregate and as a whole;
a request shows to all readers in one instant, with all its events. Costs, for items of up to 1 KB: 2 WRU + 3 RRU in 5
requests, less what the process knows of the last page; a lost race 1 WRU + 3 RRU more. Fails: appends happen one at a
time, over all aggregates; those that come faster wait, and raise when their Lambda's time is over.

When a page is put, all events of the pages before it are in the table of events: its writer has looked, and has put
what a writer that was slow or died left behind. So the heads of aggregates, read in the table after the last page, are
exact, and so are aggregates read in the table after the last page and merged with it. `tests/log_first` explores this.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws, ksuids, pages
from lambdas.eventstore.contract import AggregatePage, Append, EventStore, LogPage
from lambdas.eventstore.dynamodb.appends import HALF_VISIBLE, VERSION_IS_FREE, own_events
from lambdas.eventstore.dynamodb.items import Item
from lambdas.eventstore.dynamodb.paged_log import PositionTaken
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.dynamodb.turns import Turn
from lambdas.eventstore.errors import VersionConflict
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.log_first.log import AsStored, Heads, Page, Request, RequestLog
from lambdas.eventstore.retry import Retries

_PASSING = {*aws.THROTTLED, "TransactionConflictException"}
"""Errors of a request that pass. No transaction of this store can be in the way, but another's."""

_PASSED_ON = 0.5
"""Of the time that the log is likely to be busy for, what an append leaves in its page. With none of it, an append that
knows the last page, and so is quicker, would win again and again; with all of it, the log would be idle for a time."""

_KNOWN = 10_000
"""Aggregates whose heads are remembered. At most 10 MB, with ids as long as they may be."""

ForEach = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


class Diverged(Exception):
    """The table of events and the log do not belong together: one of them was changed by hand, or set back."""


class LogFirstEventStore(EventStore):
    """`events` is keyed (aggregateId, aggregateVersion), `log` (part, firstPosition).

    `for_each` makes the requests that can be made at the same time: one by one, or with threads. `as_stored` adds what
    a pattern keeps beside each event, in its page and in its item. `ids_rise_over_the_log` makes event ids rise with
    offsets over all aggregates, and not only within each: then a writer whose clock is ahead lifts all ids after its.
    """

    def __init__(
        self,
        client: Any,
        events: str,
        log: str,
        for_each: ForEach = map,
        as_stored: AsStored = lambda entry: entry,
        ids_rise_over_the_log: bool = False,
    ) -> None:
        self._client = client
        self._events = EventsTable(client, events, offset="logPosition")
        self._log = RequestLog(client, log)
        self._for_each = for_each
        self._as_stored = as_stored
        self._ids_rise_over_the_log = ids_rise_over_the_log
        self._settled = ""
        """The id of the last event of a page whose events are all in the table, as this process knows."""
        self._known: tuple[str, Heads] = "", {}
        """The heads that this process knows, as of the page with this id of its last event."""

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        turn, half_visible, request, tried = Turn(), Retries(), Request(append, self._as_stored), list[str]()
        while True:
            began, busy_for = time.monotonic(), 0.0
            try:
                tail = self._log.tail()
                busy_for = tail.busy_until - time.time() if tail else 0.0
                if turn.give_way(busy_for):
                    continue
                began = time.monotonic()
                self._settle(tail)
                heads = self._heads(tail, append)
                if conflict := append.conflict({name: version for name, (version, _) in heads.items()}.__getitem__):
                    if stored := self._stored_unless(conflict, append, tried):
                        return stored
                    half_visible.pause(HALF_VISIBLE)  # In a page behind `tail`, which the next attempt settles.
                    continue
                previous = max(heads[aggregate][1] for aggregate in append.expected)
                if self._ids_rise_over_the_log and tail:
                    previous = max(previous, tail.last_event[1])
                event_ids = ksuids.issue(len(append.events), time.time(), previous or None)
                tried += event_ids
                busy_until = max(turn.busy_until or 0.0, time.time() + _PASSED_ON * busy_for if busy_for > 0 else 0.0)
                page = self._log.append(request, event_ids, tail.last + 1 if tail else 1, busy_until)
                self._known = event_ids[-1], heads | page.heads()
                self._put_events(page)
                return page.events()
            except PositionTaken:
                turn.raced(time.monotonic() - began, busy_for, in_flight=False)
            except ClientError as error:
                if aws.error_code(error) not in _PASSING:
                    raise
                turn.throttled(time.monotonic() - began, busy_for)

    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        tail = self._log.tail()
        events, more = pages.take(self._events_of(tail, aggregate_id, from_version, limit + 1), limit)
        if not more and (events or from_version == 1):
            last = (events[-1].aggregate_version, events[-1].event_id) if events else (0, "")
            self._known_as_of(tail)[aggregate_id] = last
        return AggregatePage(events, events[-1].aggregate_version + 1 if more else None)

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        return self._log.read(after, limit)

    def _stored_unless(self, conflict: VersionConflict, append: Append, tried: Sequence[str]) -> list[StoredEvent]:
        """The events of `append`, if an attempt of it is stored; none if only a part of them can be seen."""
        own = own_events(self._events, append, tried) if tried or append.request_id is not None else []
        if not own:
            raise conflict
        return own if len(own) == len(append.events) else []

    def _settle(self, page: Page | None) -> None:
        """See to it that all events of the last page are in the table.

        Its last event is put when all others are stored, so this one tells for all.
        """
        if page is None:
            return
        key, event_id = page.last_event
        if event_id == self._settled:
            return
        if stored := self._events.get([key], ["eventId"]):
            if stored[key]["eventId"]["S"] != event_id:
                raise Diverged(f"in the place of event {event_id}, {key}, the table of events has another one")
            self._settled = event_id
        else:
            self._put_events(self._log.complete(page))

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

"""A log in pages: all events in one order, each page one item, keyed (part, firstPosition).

Guarantees: positions count 1, 2, 3 … without holes, and what is written never changes. A page is put only if its first
position is free, so of two writers that saw the same end one is refused; and it is put only once the page before it can
be read, so a reader tells the end of the log from a page that is missing. Costs: 1 WRU for each KB of a page,
compressed; a reader that has read all, 1 request for what is new. Fails: `MissingPage`, if somebody deleted one.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws, offsets, pages
from lambdas.eventstore.contract import LogPage
from lambdas.eventstore.dynamodb.items import Item, to_attribute
from lambdas.eventstore.events import StoredEvent

PAGE_BYTES = 380_000
"""Of a page's JSON. An item holds 400 KB (developerguide/Constraints), and there is JSON that does not compress."""

_BEYOND = 10**16
"""Above every offset (`offsets.to_position`)."""

PAGES = "pages"
"""The part of the table that holds the pages."""

_POSITION_IS_FREE = "attribute_not_exists(part)"


class PositionTaken(Exception):
    """There is a page at this position already."""


class MissingPage(Exception):
    """A position has no event, and a later one has: a reader that went on would miss events and never know."""


class PagedLog:
    """The table of the log. What else is in it has parts of its own."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name
        self._end = 0
        """The position up to which the log has events, or more by now. Less only if the table was set back since."""

    def read(self, after: str | None, limit: int) -> LogPage:
        """`EventStore.get_all_events`. To read what is in the last page, or that nothing is new, takes one request. A
        reader further back costs a process one more, to read the last page, before it knows that.

        Raises:
            InvalidRequest: the log ends before `after`. Only its own events have offsets, so it was set back.
            MissingPage: the position behind `after`, or one further on, has no event, and a later one has.
        """
        events, more = pages.take(self._events_after(offsets.to_position(after), limit + 1), limit)
        return LogPage(events, events[-1].offset if events else after, more)

    def put(self, page: Item) -> None:
        """Put a page, as `page_item` makes them.

        Raises:
            PositionTaken: by another writer, or by this one, in an attempt whose answer was lost.
        """
        try:
            self.client.put_item(TableName=self.name, Item=page, ConditionExpression=_POSITION_IS_FREE)
        except ClientError as error:
            if aws.error_code(error) == "ConditionalCheckFailedException":
                raise PositionTaken from None
            raise

    def last_page(self) -> Item | None:
        """The page at the end of the log, None if the log is empty: 1 request, and 1 RRU for each 4 KB of the page."""
        items = self._query("<=", _BEYOND, 1, newest_first=True)
        self._end = last_position(items[0]) if items else 0
        return items[0] if items else None

    def _opened(self, items: Sequence[Item]) -> Iterable[Sequence[StoredEvent]]:
        """The events of each page, read as they are asked for. A log with more to it says here how."""
        return map(events_of, items)

    def _events_after(self, position: int, wanted: int) -> Iterator[StoredEvent]:
        """Drawn from DynamoDB only as far as they are consumed."""
        end, items = None, []
        if position == 0:
            items = self._pages_after(0, 1)
        elif position >= self._end:
            # The last page alone tells the end of the log from a hole in it.
            if not (items := self._page_behind(position)):
                return
            end = self._end
        if position and (not items or first_position(items[0]) > position + 1):
            items = self._query("<=", position + 1, 1, newest_first=True)
            if not items or last_position(items[0]) <= position:
                # The end, if the table was set back to here since this process has seen more of it. Or else a hole.
                if not self._page_behind(position):
                    return
                raise _missing(position + 1)
        reached = position
        while items:
            for item, events in zip(items, self._opened(items), strict=True):
                self._end = max(self._end, last_position(item))
                yield from events[reached + 1 - first_position(item) :]
                reached = last_position(item)
            if reached == end:
                return
            # As many pages as will do if they are as long as these. Positions are dense, so this one counts events.
            missing = wanted - (reached - position)
            items = self._pages_after(reached, -(-missing * len(items) // (reached + 1 - first_position(items[0]))))
        self._end = reached

    def _page_behind(self, position: int) -> list[Item]:
        """The last page, in a list; none if the log ends at `position`, so that nothing is behind it.

        Raises:
            InvalidRequest: the log ends before `position`.
        """
        page = self.last_page()
        if position > self._end:
            raise offsets.beyond(self._end)
        return [page] if page and position < self._end else []

    def _pages_after(self, position: int, count: int) -> list[Item]:
        """Up to `count` pages, of which the first begins behind `position` and each where the one before it ends."""
        for _look in range(2):
            items = self._query(">", position, count)
            following = _following(position, items)
            if following or not items:
                return following
            # A query is no snapshot: it may have passed this place before a page was put here, and then have met the
            # next one. That is put only once this one can be read, so a second look is proof.
        raise _missing(position + 1)

    def _query(self, comparison: str, position: int, limit: int, newest_first: bool = False) -> list[Item]:
        response = self.client.query(
            TableName=self.name,
            KeyConditionExpression=f"part = :pages AND firstPosition {comparison} :position",
            ExpressionAttributeValues={":pages": to_attribute(PAGES), ":position": to_attribute(position)},
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
            Limit=limit,
        )
        items: list[Item] = response["Items"]
        return items


def page_item(position: int, texts: Sequence[str]) -> Item:
    """A page of events, each of them JSON, the first at `position`."""
    return {
        **key(PAGES, position),
        "events": to_attribute(len(texts)),
        "page": {"B": zlib.compress(f"[{','.join(texts)}]".encode())},
    }


def events_of(item: Item) -> list[StoredEvent]:
    """The events of a page, each with its position as its offset."""
    events = enumerate(contents(item), first_position(item))
    return [StoredEvent.from_wire(event).at(str(position)) for position, event in events]


def contents(item: Item) -> list[dict[str, Any]]:
    """What a page holds of each event: the JSON that it was made of."""
    events: list[dict[str, Any]] = json.loads(zlib.decompress(item["page"]["B"]))
    return events


def _following(position: int, pages: list[Item]) -> list[Item]:
    """`pages` as far as the first begins behind `position`, and each where the one before it ends."""
    for index, page in enumerate(pages):
        if first_position(page) != position + 1:
            return pages[:index]
        position = last_position(page)
    return pages


def _missing(position: int) -> MissingPage:
    return MissingPage(
        f"the log has no event at position {position}, but later ones: a page was deleted. Restore the page, or the log"
    )


def first_position(item: Item) -> int:
    return int(item["firstPosition"]["N"])


def last_position(item: Item) -> int:
    return first_position(item) + int(item["events"]["N"]) - 1


def key(part: str, position: int = 0) -> Item:
    return {"part": to_attribute(part), "firstPosition": to_attribute(position)}

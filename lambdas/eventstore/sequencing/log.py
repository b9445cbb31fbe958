"""The log that a sequencer writes: all events in one global order, in pages.

Guarantees: positions count 1, 2, 3 … without holes, and what is written never changes. A page is one item, keyed by its
first position and put only if that is free: of two sequencers that saw the same end, one is refused. Beside the pages
lie marks, numbers that only rise: the version up to which each aggregate is in the log, and the position up to which
the marks are complete (the checkpoint). Marks never run ahead of the pages, and at most the last page is not in them.
Costs, for a page of events of n aggregates: n + 1 WRU, and 1 WRU for each KB of the page, compressed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws, offsets, pages
from lambdas.eventstore.contract import LogPage
from lambdas.eventstore.dynamodb.items import Item, to_attribute
from lambdas.eventstore.dynamodb.reads import get_items
from lambdas.eventstore.events import StoredEvent

PAGE_BYTES = 380_000
"""Of a page's JSON. An item holds 400 KB (developerguide/Constraints), and there is JSON that does not compress."""

_BEYOND = 10**16
"""Above every offset (`offsets.to_position`)."""

PAGES = "pages"
CHECKPOINT = "checkpoint"
AGGREGATE = "aggregate#"

_POSITION_IS_FREE = "attribute_not_exists(part)"
_RISES = "attribute_not_exists(reached) OR reached < :reached"

Mark = tuple[str, int]
ForEach = Callable[[Callable[[Mark], None], Iterable[Mark]], Iterable[None]]


class PositionTaken(Exception):
    """There is a page at this position already."""


class MissingPage(Exception):
    """A position has no event, and a later one has: a reader that went on would miss events and never know."""


class Log:
    """The table keyed (part, firstPosition). `for_each` raises the marks of a page: one by one, or with threads."""

    def __init__(self, client: Any, name: str, for_each: ForEach = map) -> None:
        self.client = client
        self.name = name
        self._for_each = for_each
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

    def append(self, position: int, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
        """Put a page with as many of `events` as it holds, the first at `position`; answer with those.

        Raises:
            PositionTaken: by another sequencer, or by this one, in an attempt whose answer was lost.
        """
        texts = _fitting(events)
        item = {
            **key_of(PAGES, position),
            "events": to_attribute(len(texts)),
            "page": {"B": zlib.compress(f"[{','.join(texts)}]".encode())},
        }
        try:
            self.client.put_item(TableName=self.name, Item=item, ConditionExpression=_POSITION_IS_FREE)
        except ClientError as error:
            if aws.error_code(error) == "ConditionalCheckFailedException":
                raise PositionTaken from None
            raise
        return events[: len(texts)]

    def page_at(self, position: int) -> Sequence[StoredEvent]:
        """The events of the page that begins at `position`."""
        response = self.client.get_item(TableName=self.name, Key=key_of(PAGES, position), ConsistentRead=True)
        return events_of(response["Item"])

    def confirm(self, position: int, page: Sequence[StoredEvent]) -> None:
        """Raise the marks to the page that begins at `position`: those of its aggregates, and then the checkpoint."""
        versions = {AGGREGATE + event.aggregate_id: event.aggregate_version for event in page}
        for _ in self._for_each(self._raise_mark, versions.items()):
            pass
        self._raise_mark((CHECKPOINT, position + len(page) - 1))

    def checkpoint(self) -> int:
        """The position up to which the pages are in the marks."""
        return self._marks([CHECKPOINT])[CHECKPOINT]

    def sequenced(self, aggregates: Sequence[str]) -> dict[str, int]:
        """The version up to which the log has each of `aggregates` (at most 100), by the marks."""
        marks = self._marks([AGGREGATE + aggregate for aggregate in aggregates])
        return {aggregate: marks[AGGREGATE + aggregate] for aggregate in aggregates}

    def _marks(self, names: Sequence[str]) -> dict[str, int]:
        marks = dict.fromkeys(names, 0)
        for item in get_items(self.client, self.name, [key_of(name) for name in names]):
            marks[item["part"]["S"]] = int(item["reached"]["N"])
        return marks

    def _raise_mark(self, mark: Mark) -> None:
        name, reached = mark
        try:
            self.client.update_item(
                TableName=self.name,
                Key=key_of(name),
                UpdateExpression="SET reached = :reached",
                ConditionExpression=_RISES,
                ExpressionAttributeValues={":reached": to_attribute(reached)},
            )
        except ClientError as error:
            if aws.error_code(error) != "ConditionalCheckFailedException":
                raise

    def _events_after(self, position: int, wanted: int) -> Iterator[StoredEvent]:
        """Drawn from DynamoDB only as far as they are consumed."""
        end, items = None, []
        if position == 0:
            items = self._pages_after(0, 1)
        elif position >= self._end:
            # The last page alone tells the end of the log from a hole in it.
            if not (items := self._last_page(position)):
                return
            end = self._end
        if position and (not items or first_of(items[0]) > position + 1):
            items = self._query("<=", position + 1, 1, newest_first=True)
            if not items or last_of(items[0]) <= position:
                # The end, if the table was set back to here since this process has seen more of it. Or else a hole.
                if not self._last_page(position):
                    return
                raise _missing(position + 1)
        reached = position
        while items:
            for item in items:
                self._end = max(self._end, last_of(item))
                yield from events_of(item)[reached + 1 - first_of(item) :]
                reached = last_of(item)
            if reached == end:
                return
            # As many pages as will do if they are as long as these. Positions are dense, so this one counts events.
            missing = wanted - (reached - position)
            items = self._pages_after(reached, -(-missing * len(items) // (reached + 1 - first_of(items[0]))))
        self._end = reached

    def _last_page(self, position: int) -> list[Item]:
        """The last page, in a list; none if the log ends at `position`, so that nothing is behind it.

        Raises:
            InvalidRequest: the log ends before `position`.
        """
        items = self._query("<=", _BEYOND, 1, newest_first=True)
        self._end = last_of(items[0]) if items else 0
        if position > self._end:
            raise offsets.beyond(self._end)
        return items if position < self._end else []

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


def fits(event: StoredEvent) -> bool:
    """Whether a page can hold this event. All that came through `store_events` fit."""
    return len(_text(event).encode()) < PAGE_BYTES


def _fitting(events: Sequence[StoredEvent]) -> list[str]:
    """As many of `events` as a page holds, at least one, as JSON."""
    texts: list[str] = []
    size = 0
    for event in events:
        text = _text(event)
        size += len(text.encode()) + 1
        if texts and size > PAGE_BYTES:
            break
        texts.append(text)
    return texts


def _text(event: StoredEvent) -> str:
    return json.dumps(event.to_wire(), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def events_of(item: Item) -> list[StoredEvent]:
    page = json.loads(zlib.decompress(item["page"]["B"]))
    return [StoredEvent.from_wire(event).at(str(position)) for position, event in enumerate(page, first_of(item))]


def _following(position: int, pages: list[Item]) -> list[Item]:
    """`pages` as far as the first begins behind `position`, and each where the one before it ends."""
    for index, page in enumerate(pages):
        if first_of(page) != position + 1:
            return pages[:index]
        position = last_of(page)
    return pages


def _missing(position: int) -> MissingPage:
    return MissingPage(
        f"the log has no event at position {position}, but later ones: a page was deleted. Restore the page, or the log"
    )


def first_of(item: Item) -> int:
    return int(item["firstPosition"]["N"])


def last_of(item: Item) -> int:
    return first_of(item) + int(item["events"]["N"]) - 1


def key_of(part: str, position: int = 0) -> Item:
    return {"part": to_attribute(part), "firstPosition": to_attribute(position)}

"""The log that a sequencer writes: all events in one global order, in pages.

Guarantees: what `paged_log` does. Beside the pages lie marks, numbers that only rise: the version up to which each
aggregate is in the log, and the position up to which the marks are complete (the checkpoint). Marks never run ahead of
the pages, and at most the last page is not in them.
Costs, for a page of events of n aggregates: n + 1 WRU, and 1 WRU for each KB of the page, compressed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws
from lambdas.eventstore.dynamodb.items import to_attribute
from lambdas.eventstore.dynamodb.paged_log import PAGE_BYTES, PAGES, PagedLog, events_of, key, page_item
from lambdas.eventstore.dynamodb.reads import get_items
from lambdas.eventstore.events import StoredEvent

CHECKPOINT = "checkpoint"
AGGREGATE = "aggregate#"

_RISES = "attribute_not_exists(reached) OR reached < :reached"

Mark = tuple[str, int]
ForEach = Callable[[Callable[[Mark], None], Iterable[Mark]], Iterable[None]]


class Log(PagedLog):
    """The table keyed (part, firstPosition). `for_each` raises the marks of a page: one by one, or with threads."""

    def __init__(self, client: Any, name: str, for_each: ForEach = map) -> None:
        super().__init__(client, name)
        self._for_each = for_each

    def append(self, position: int, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
        """Put a page with as many of `events` as it holds, the first at `position`; answer with those.

        Raises:
            PositionTaken: by another sequencer, or by this one, in an attempt whose answer was lost.
        """
        texts = _fitting(events)
        self.put(page_item(position, texts))
        return events[: len(texts)]

    def page_at(self, position: int) -> Sequence[StoredEvent]:
        """The events of the page that begins at `position`."""
        response = self.client.get_item(TableName=self.name, Key=key(PAGES, position), ConsistentRead=True)
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
        for item in get_items(self.client, self.name, [key(name) for name in names]):
            marks[item["part"]["S"]] = int(item["reached"]["N"])
        return marks

    def _raise_mark(self, mark: Mark) -> None:
        name, reached = mark
        try:
            self.client.update_item(
                TableName=self.name,
                Key=key(name),
                UpdateExpression="SET reached = :reached",
                ConditionExpression=_RISES,
                ExpressionAttributeValues={":reached": to_attribute(reached)},
            )
        except ClientError as error:
            if aws.error_code(error) != "ConditionalCheckFailedException":
                raise


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

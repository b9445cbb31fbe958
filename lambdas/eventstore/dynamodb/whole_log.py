"""A log in pages as an audit reads it, whole, with notes of where it was set back.

A log that was set back gives its positions out again, to other events, and nothing in them tells. So it is noted in the
log itself, beside the pages, where it ended then: who had read beyond that must read again, from the start.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from lambdas.eventstore.audits import REBUILD, Difference
from lambdas.eventstore.dynamodb.audit import Entry, digest_of
from lambdas.eventstore.dynamodb.items import Item, to_attribute
from lambdas.eventstore.dynamodb.paged_log import MissingPage, PagedLog, first_position, key, last_position
from lambdas.eventstore.events import StoredEvent

_AT_A_TIME = 10
"""Pages of a query: about what fits into its megabyte."""

_SET_BACK = "set back"


class WholePagedLog(PagedLog):
    def all_pages(self) -> Iterator[Sequence[StoredEvent]]:
        """All pages, in order.

        Raises:
            Difference: positions have a hole, or a page was changed by hand.
        """
        reached = 0
        try:
            while items := self._pages_after(reached, _AT_A_TIME):
                for item in items:
                    yield self._checked(item)
                    reached = last_position(item)
        except MissingPage as missing:
            raise Difference(
                f"{missing}. A log table restored to a moment before that has the page (make restore-drill)"
            ) from None

    def entries(self) -> Iterator[Entry]:
        """All events, as `audit.Index` takes them."""
        for page in self.all_pages():
            for event in page:
                named = event.aggregate_id, event.aggregate_version
                yield int(event.offset or 0), *named, event.event_id, digest_of(event)

    def times_set_back(self) -> list[tuple[int, str, str]]:
        """Where the log ended after each time that it was set back, when that was noted, and in which table."""
        response = self.client.query(
            TableName=self.name,
            KeyConditionExpression="part = :setBack",
            ExpressionAttributeValues={":setBack": to_attribute(_SET_BACK)},
            ConsistentRead=True,
        )
        return [(int(it["firstPosition"]["N"]), it["noted"]["S"], it["inTable"]["S"]) for it in response["Items"]]

    def note_set_back(self, end: int, noted: str) -> None:
        note = {**key(_SET_BACK, end), "noted": to_attribute(noted), "inTable": to_attribute(self.name)}
        self.client.put_item(TableName=self.name, Item=note)

    def notes(self) -> str:
        """What an audit adds to its sentence."""
        return "".join(f"; set back to {end}, noted {noted}: {REBUILD} it" for end, noted, _ in self.times_set_back())

    def _checked(self, item: Item) -> Sequence[StoredEvent]:
        try:
            [events] = self._opened([item])
        except (KeyError, TypeError, ValueError, zlib.error):
            events = []
        if not events or len(events) != last_position(item) + 1 - first_position(item):
            raise Difference(
                f"the page at position {first_position(item)} was changed by hand: nothing in the two tables decides"
                " it. Restore both to a moment before it came about (make restore-drill)"
            )
        return events

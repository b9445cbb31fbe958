"""The log as an audit reads it, whole, and as a repair writes it: marks that are too high, and where it was set back.

A log that was set back gives its positions out again, to other events, and nothing in them tells. So it is noted in the
log itself, beside the pages, where it ended then: who had read beyond that must read again, from the start.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence

from botocore.exceptions import ClientError

from lambdas.eventstore import aws
from lambdas.eventstore.dynamodb.items import Item, to_attribute
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.sequencing.log import (
    AGGREGATE,
    CHECKPOINT,
    Log,
    Mark,
    events_of,
    first_of,
    key_of,
    last_of,
)

_AT_A_TIME = 10
"""Pages of a query: about what fits into its megabyte."""

_SET_BACK = "set back"


class UnreadablePage(Exception):
    """There is a page at this position that no sequencer has written."""


class Raised(Exception):
    """A mark was raised since it was read."""


class WholeLog(Log):
    def all_pages(self) -> Iterator[Sequence[StoredEvent]]:
        """All pages, in order.

        Raises:
            MissingPage: positions have a hole.
            UnreadablePage: a page was changed by hand.
        """
        reached = 0
        while items := self._pages_after(reached, _AT_A_TIME):
            for item in items:
                yield _checked_events_of(item)
                reached = last_of(item)

    def marks(self) -> Iterator[Mark]:
        """The mark of each aggregate, in no order."""
        scans = self.client.get_paginator("scan").paginate(
            TableName=self.name,
            ConsistentRead=True,
            FilterExpression="attribute_exists(reached)",
            ProjectionExpression="part, reached",
        )
        for item in (item for scan in scans for item in scan["Items"]):
            if item["part"]["S"].startswith(AGGREGATE):
                yield item["part"]["S"].removeprefix(AGGREGATE), int(item["reached"]["N"])

    def lower_mark(self, aggregate: str | None, seen: int, reached: int) -> None:
        """Set a mark that was found to be `seen` to what the pages say; that of no aggregate is the checkpoint.

        Raises:
            Raised: a sequencer has raised the mark since.
        """
        try:
            self.client.update_item(
                TableName=self.name,
                Key=key_of(CHECKPOINT if aggregate is None else AGGREGATE + aggregate),
                UpdateExpression="SET reached = :reached",
                # Or as it is to be: by this very call, whose answer was lost.
                ConditionExpression="reached = :seen OR reached = :reached",
                ExpressionAttributeValues={":seen": to_attribute(seen), ":reached": to_attribute(reached)},
            )
        except ClientError as error:
            if aws.error_code(error) == "ConditionalCheckFailedException":
                raise Raised from None
            raise

    def raise_mark(self, aggregate: str, reached: int) -> None:
        self._raise_mark((AGGREGATE + aggregate, reached))

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
        note = {**key_of(_SET_BACK, end), "noted": to_attribute(noted), "inTable": to_attribute(self.name)}
        self.client.put_item(TableName=self.name, Item=note)


def _checked_events_of(item: Item) -> list[StoredEvent]:
    try:
        events = events_of(item)
    except (KeyError, TypeError, ValueError, zlib.error):
        events = []
    if not events or len(events) != last_of(item) + 1 - first_of(item):
        raise UnreadablePage(first_of(item))
    return events

"""The log of a sequencer as a repair writes it: marks that are too high, besides."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError

from lambdas.eventstore import aws
from lambdas.eventstore.dynamodb.items import to_attribute
from lambdas.eventstore.dynamodb.paged_log import key
from lambdas.eventstore.dynamodb.whole_log import WholePagedLog
from lambdas.eventstore.sequencing.log import AGGREGATE, CHECKPOINT, Log, Mark


class Raised(Exception):
    """A mark was raised since it was read."""


class WholeLog(WholePagedLog, Log):
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
                Key=key(CHECKPOINT if aggregate is None else AGGREGATE + aggregate),
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

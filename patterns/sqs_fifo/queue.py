"""The queue of doorbells: SQS FIFO, with one message group."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from lambdas.eventstore import aws
from lambdas.eventstore.sequencing import doorbells
from lambdas.eventstore.sequencing.doorbells import Doorbells

_GROUP = "log"
"""One group is one order, and so one sequencer at a time."""


class Queue:
    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Queue:
        """The queue that the Lambda's environment describes: QUEUE_URL."""
        return cls(aws.client("sqs"), environ["QUEUE_URL"])

    def send(self, batch: Doorbells, occasion: str = "") -> None:
        """Send up to 100 doorbells. Within five minutes, the same ones are sent only once for an `occasion`."""
        body = json.dumps(doorbells.to_json(batch))
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=body,
            MessageGroupId=_GROUP,
            MessageDeduplicationId=hashlib.sha256(f"{occasion}{body}".encode()).hexdigest(),
        )

    def release(self, receipt_handle: str) -> None:
        """Make a message visible again that a sequencer was given, before its timeout is over."""
        self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=0)

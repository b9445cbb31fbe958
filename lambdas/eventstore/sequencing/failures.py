"""The queue of what was set aside: doorbells that cannot be met, and what is none. Alarmed on while it holds anything.

Guarantees: what is set aside stays here until it is met or a person removes it, since the sweep rings for it again and
again, and whatever is rung for in vain is set aside anew. Lambda leaves word here too, of records that it has given up.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from lambdas.eventstore import aws
from lambdas.eventstore.sequencing import doorbells
from lambdas.eventstore.sequencing.doorbells import Doorbells

SetAside = Callable[[Doorbells, Sequence[str]], None]
"""Puts away doorbells that stay unmet, and what is no doorbell. Raises if it cannot: then nothing may be forgotten."""

_MOST = 1000
"""Messages to take at a time: what is left, the next run takes."""

_HIDDEN_SECONDS = 300
"""For so long nobody else is given a message that was taken. A run is over by then."""

_OTHERS = 10
"""In a message: so many fit, whatever they are."""


class Letter(NamedTuple):
    """A message of the queue. One that Lambda has left, or anybody, has neither doorbells nor others."""

    handle: str
    doorbells: Doorbells
    others: list[str]


class Failures:
    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Failures:
        """The queue that the Lambda's environment describes: FAILURES_URL."""
        return cls(aws.client("sqs"), environ["FAILURES_URL"])

    def set_aside(self, unmet: Doorbells, others: Sequence[str]) -> None:
        for batch in doorbells.batches(unmet):
            self._send({"doorbells": doorbells.to_json(batch)})
        for start in range(0, len(others), _OTHERS):
            self._send({"notDoorbells": others[start : start + _OTHERS]})

    def take(self) -> list[Letter]:
        """Up to 1,000 messages. They are given to nobody else until they are deleted or released, or for 5 minutes."""
        letters: list[Letter] = []
        while len(letters) < _MOST:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_HIDDEN_SECONDS,
                WaitTimeSeconds=1,  # or SQS asks some of its servers only
            )
            messages = answer.get("Messages", [])
            letters += [_letter(message) for message in messages]
            if not messages:
                break
        return letters

    def delete(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=letter.handle)

    def release(self, letters: Sequence[Letter]) -> None:
        """Show messages again that were taken."""
        for letter in letters:
            self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=letter.handle, VisibilityTimeout=0)

    def _send(self, what: dict[str, Any]) -> None:
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(what))


def _letter(message: Mapping[str, Any]) -> Letter:
    try:
        body = json.loads(message["Body"])
    except (ValueError, RecursionError):
        body = None
    body = body if isinstance(body, dict) else {}
    rung, others = body.get("doorbells", []), body.get("notDoorbells", [])
    heard = doorbells.from_json(rung)
    # A message that has been tampered with is not to be deleted for the part of it that can be read.
    readable = not heard.others and isinstance(others, list) and all(isinstance(other, str) for other in others)
    return Letter(message["ReceiptHandle"], *(heard.doorbells, others) if readable else ({}, []))

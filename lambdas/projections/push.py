"""Push: every event to a target, as a CloudEvent: an EventBridge bus, an SQS queue (FIFO or not), or a Lambda function.

Built on the runner, with nothing to project: events are delivered before the checkpoint moves over them. Guarantees: at
least once, and within an aggregate each event for the first time in the order of versions; what comes again has the
same `id`, and a `sequence` that the consumer has had. (Buses and standard queues may shuffle what they were given.) An
event that the target refuses for good goes to the dead letters, with the reason, and delivery goes on: its consumer
sees a gap in `sequence`. Fails: a target that is throttled or out of reach is raised, and the next run delivers again.

Costs, besides reading the log and the target's own price, 1 WRU for 100 events; where events can be late, 2 WRU and
1 RRU an event and 2 WRU for 99.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config

from lambdas.eventstore import aws, ksuids
from lambdas.eventstore.events import StoredEvent
from lambdas.projections import runtime
from lambdas.projections.projection import Item, Key, Projection
from lambdas.projections.runner import Runner

ENTRIES = 10
"""Of one PutEvents or SendMessageBatch."""

BATCH_BYTES = 250_000
"""Of one request to a bus or a queue: beneath the 256 KB of a PutEvents (eventbridge/latest/userguide/eb-putevents,
read 2026-11). An event of 48 KiB always fits, also with every character that is not ASCII escaped."""

ATTEMPTS = 3
"""How often a target function may fail on an event, before that is one which it refuses."""

_PATIENT = Config(retries={"total_max_attempts": 1}, connect_timeout=1, read_timeout=50)
"""For target functions: a second attempt while the first still runs would be a second delivery."""

_PASSING = {"InternalFailure", "InternalException", "ThrottlingException", "ServiceUnavailable"}
_SEQUENCE = 16
"""Digits, as many as a version has at most: sequences are compared as text."""

_logger, _metrics = Logger(), Metrics()

CloudEvent = dict[str, Any]
Refused = dict[str, str]
"""Why a target refuses an event, by the event's id."""


class TargetFailed(Exception):
    """The target did not take an event, and may take it later."""


def cloud_event(event: StoredEvent, source: str) -> CloudEvent:
    """The event in CloudEvents' JSON format, version 1.0 (github.com/cloudevents/spec, read 2026-11).

    `sequence` is an extension that orders the events of one `source`, so the aggregate is a part of that.
    """
    time = datetime.fromtimestamp(ksuids.seconds_of(event.event_id), tz=UTC)
    return {
        "specversion": "1.0",
        "id": event.event_id,
        "source": f"{source}/{quote(event.aggregate_id, safe='')}",
        "type": event.event_type,
        "subject": event.aggregate_id,
        "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "sequence": f"{event.aggregate_version:0{_SEQUENCE}}",
        "typeversion": event.event_version,
        "datacontenttype": "application/json",
        "data": event.metadata,
    }


class Target(ABC):
    entries = ENTRIES

    @abstractmethod
    def send(self, events: Sequence[CloudEvent]) -> Refused:
        """Gives the target some events, of an aggregate one at most; answers with those that it refuses for good.

        Raises:
            TargetFailed, or an error of AWS: some may have been taken.
        """


class Bus(Target):
    """`detail` is the CloudEvent, `detail-type` its type, `source` its source without the aggregate."""

    def __init__(self, name: str, source: str) -> None:
        self._client, self._name, self._source = aws.client("events"), name, source

    def send(self, events: Sequence[CloudEvent]) -> Refused:
        entries = [
            {
                "EventBusName": self._name,
                "Source": self._source,
                "DetailType": event["type"],
                "Detail": json.dumps(event),
                "Time": event["time"],
            }
            for event in events
        ]
        results = self._client.put_events(Entries=entries)["Entries"]
        failed = {it["id"]: result for it, result in zip(events, results, strict=True) if result.get("ErrorCode")}
        _raise_passing({event_id: result["ErrorCode"] for event_id, result in failed.items()})
        return {it: f"{result['ErrorCode']}: {result.get('ErrorMessage', '')}" for it, result in failed.items()}


class Queue(Target):
    """A message body is a CloudEvent. In a FIFO queue an aggregate is a message group."""

    def __init__(self, arn: str) -> None:
        self._client, self._arn = aws.client("sqs"), arn

    @cached_property
    def _url(self) -> str:
        account, name = self._arn.split(":")[4:]
        return str(self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"])

    def send(self, events: Sequence[CloudEvent]) -> Refused:
        entries = [
            {"Id": str(number), "MessageBody": json.dumps(event), **self._place(event)}
            for number, event in enumerate(events)
        ]
        failed = self._client.send_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", [])
        refused = {events[int(it["Id"])]["id"]: f"{it['Code']}: {it.get('Message', '')}" for it in failed}
        if not all(it["SenderFault"] for it in failed):
            raise TargetFailed(f"{self._arn} did not take {refused}")
        return refused

    def _place(self, event: CloudEvent) -> dict[str, str]:
        if not self._arn.endswith(".fifo"):
            return {}
        # A group's name holds 128 characters of ASCII, an aggregate's id more.
        group = hashlib.sha256(event["source"].encode()).hexdigest()
        return {"MessageGroupId": group, "MessageDeduplicationId": event["id"]}


class Function(Target):
    """Is invoked with one CloudEvent at a time, and takes it by returning."""

    entries = 1

    def __init__(self, arn: str) -> None:
        self._client, self._arn = aws.client("lambda", _PATIENT), arn

    def send(self, events: Sequence[CloudEvent]) -> Refused:
        [event] = events
        for _ in range(ATTEMPTS):
            result = self._client.invoke(FunctionName=self._arn, Payload=json.dumps(event))
            if "FunctionError" not in result:
                return {}
        return {event["id"]: f"{result['FunctionError']}: {result['Payload'].read().decode()[:500]}"}


def target_of(arn: str, source: str) -> Target:
    """The event bus, the queue or the function with this ARN.

    Raises:
        ValueError: it is none of these.
    """
    _, _, service, *_ = f"{arn}:::".split(":")
    match service:
        case "events":
            return Bus(arn, source)
        case "sqs":
            return Queue(arn)
        case "lambda":
            return Function(arn)
    raise ValueError(f"{arn} is the ARN of no event bus, queue or function")


class Push(Projection):
    """Delivers events, and keeps no items: its read model is a checkpoint."""

    def __init__(
        self,
        name: str,
        target: Target,
        dead_letters: Callable[[CloudEvent, str], None],
        source: str,
        types: frozenset[str] | None = None,
    ) -> None:
        self.name, self.event_types = name, types  # type: ignore[misc]  # one class, many subscriptions
        self._target, self._dead_letters, self._source = target, dead_letters, source

    def apply(self, event: StoredEvent, items: Mapping[Key, Item]) -> Mapping[Key, Item | None]:
        return {}

    def deliver(self, events: Sequence[StoredEvent]) -> None:
        """The runner's `deliver`."""
        for some in self._batches([cloud_event(event, self._source) for event in events]):
            refused = self._target.send(some)
            for event in some:
                if event["id"] in refused:
                    self._dead_letters(event, refused[event["id"]])

    def _batches(self, events: Sequence[CloudEvent]) -> Iterator[list[CloudEvent]]:
        """Of an aggregate one event at most, since of a batch a part may be taken."""
        batch: list[CloudEvent] = []
        size = 0
        for event in events:
            bytes_ = len(json.dumps(event))
            if batch and (
                len(batch) == self._target.entries
                or size + bytes_ > BATCH_BYTES
                or event["source"] in [it["source"] for it in batch]
            ):
                yield batch
                batch, size = [], 0
            batch.append(event)
            size += bytes_
        if batch:
            yield batch


def dead_letter_queue(url: str) -> Callable[[CloudEvent, str], None]:
    """Sends what the target refuses to a queue, as `{"reason", "event"}`."""
    client = aws.client("sqs")

    def put(event: CloudEvent, reason: str) -> None:
        client.send_message(QueueUrl=url, MessageBody=json.dumps({"reason": reason, "event": event}))
        _metrics.add_metric("DeadLetters", MetricUnit.Count, 1)
        _logger.error("refused", extra={"id": event["id"], "source": event["source"]})

    return put


def _raise_passing(codes: Mapping[str, str]) -> None:
    if passing := {event_id: code for event_id, code in codes.items() if code in _PASSING}:
        raise TargetFailed(f"the bus did not take {passing}")


def runner_of(environ: Mapping[str, str]) -> Runner:
    """The subscription that the Lambda's environment describes, besides STORE and READ_MODEL: NAME, TARGET (an ARN),
    SOURCE, DEAD_LETTERS (a queue's URL), EVENT_TYPES (a JSON array; none for all)."""
    types = frozenset(json.loads(environ.get("EVENT_TYPES", "[]"))) or None
    target = target_of(environ["TARGET"], environ["SOURCE"])
    push = Push(environ["NAME"], target, dead_letter_queue(environ["DEAD_LETTERS"]), environ["SOURCE"], types)
    return runtime.runner_of(push, environ, push.deliver)

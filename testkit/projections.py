"""Read models under test: a table for each, a projection that shows what was applied how often, and what must hold."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3

from lambdas.eventstore import EventStore, StoredEvent, aws
from lambdas.projections import Item, Key, Projection, ReadModel, Runner
from testkit.harness import Environment, Harness
from testkit.subjects import InProcess

LATE_SECONDS = 10.0


@dataclass
class World:
    """A fresh store, and what runners on it are told of its guarantees."""

    harness: Harness
    environment: Environment
    sheet: dict[str, Any]

    @property
    def late_seconds(self) -> float:
        return LATE_SECONDS if self.sheet["guarantees"]["late_events"] else 0.0

    def store(self) -> EventStore:
        return self.harness.open(self.environment)

    def subject(self) -> InProcess:
        return InProcess(self.store(), self.sheet, self.harness, self.environment)

    def runner(self, model: ReadModel, projection: Projection | None = None) -> Runner:
        """As a new invocation would find it: nothing is remembered from before."""
        return Runner(self.store(), model, projection or Tally(), late_seconds=self.late_seconds)

    def drain(self) -> None:
        self.harness.drain(self.environment)


class Tally(Projection):
    """Of each aggregate the versions that were applied, in that order; of each event how often it was."""

    name = "tally"

    def touches(self, event: StoredEvent) -> Collection[Key]:
        return [tally_of(event.aggregate_id), entry_of(event)]

    def apply(self, event: StoredEvent, items: Mapping[Key, Item]) -> Mapping[Key, Item | None]:
        versions = items.get(tally_of(event.aggregate_id), {"versions": []})["versions"]
        times = items.get(entry_of(event), {"times": 0})["times"]
        return {
            tally_of(event.aggregate_id): {"versions": [*versions, event.aggregate_version]},
            entry_of(event): {"eventId": event.event_id, "times": times + 1},
        }


def tally_of(aggregate_id: str) -> Key:
    return Key("tallies", aggregate_id)


def entry_of(event: StoredEvent) -> Key:
    return Key(f"entries of {event.aggregate_id}", f"{event.aggregate_version:08}")


@contextmanager
def read_model() -> Iterator[ReadModel]:
    """An empty one, whose client tests can watch."""
    dynamodb = boto3.client("dynamodb")
    name = f"fresh-{uuid4().hex}"
    create_table(dynamodb, name)
    try:
        yield ReadModel(aws.client("dynamodb"), name)
    finally:
        dynamodb.delete_table(TableName=name)


def create_table(dynamodb: Any, name: str) -> None:
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": "partition", "KeyType": "HASH"},
            {"AttributeName": "sort", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "partition", "AttributeType": "S"},
            {"AttributeName": "sort", "AttributeType": "S"},
        ],
    )


@contextmanager
def queue(*, fifo: bool) -> Iterator[str]:
    """The URL of an empty one."""
    sqs = boto3.client("sqs")
    attributes = {"FifoQueue": "true"} if fifo else {}
    url = sqs.create_queue(QueueName=f"fresh-{uuid4().hex}{'.fifo' if fifo else ''}", Attributes=attributes)["QueueUrl"]
    try:
        yield url
    finally:
        sqs.delete_queue(QueueUrl=url)


def arn_of(url: str) -> str:
    attributes = boto3.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    return str(attributes["QueueArn"])


def received(url: str) -> list[dict[str, Any]]:
    """All messages of a queue, which is empty then."""
    sqs = boto3.client("sqs")
    bodies = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            bodies.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def assert_delivered(cloud_events: Sequence[Mapping[str, Any]], events: Sequence[StoredEvent]) -> None:
    """Each event at least once, and within an aggregate for the first time in the order of versions."""
    first: dict[str, list[int]] = defaultdict(list)
    for event in cloud_events:
        if int(event["sequence"]) not in first[event["subject"]]:
            first[event["subject"]].append(int(event["sequence"]))
    expected: dict[str, list[int]] = defaultdict(list)
    for stored in sorted(events, key=lambda it: it.aggregate_version):
        expected[stored.aggregate_id].append(stored.aggregate_version)
    assert first == expected


def all_events(store: EventStore) -> list[StoredEvent]:
    events: list[StoredEvent] = []
    after, more = None, True
    while more:
        page = store.get_all_events(after, 1000)
        events += page.events
        after, more = page.next, page.has_more
    return events


def assert_tallied(model: ReadModel, events: Sequence[StoredEvent], generation: int = 1) -> None:
    """Each of the events was applied once, each aggregate's in order, and nothing else is in the generation."""
    expected: dict[Key, Item] = {}
    versions: dict[str, list[int]] = defaultdict(list)
    for event in events:
        versions[event.aggregate_id].append(event.aggregate_version)
        expected[entry_of(event)] = {"eventId": event.event_id, "times": 1}
    expected |= {tally_of(aggregate): {"versions": sorted(them)} for aggregate, them in versions.items()}
    assert model.items(generation, list(expected)) == expected
    assert len(_keys(model, generation)) == len(expected), "there is more than comes of the events"


def _keys(model: ReadModel, generation: int) -> list[str]:
    items = boto3.client("dynamodb").scan(TableName=model.name, ConsistentRead=True)["Items"]
    partitions = [item["partition"]["S"] for item in items]
    return [it for it in partitions if it.startswith(f"{generation}/") and not it.startswith(f"{generation}//")]

"""Doorbells: which aggregates have news, and up to which version. Hints for a sequencer, never data.

A doorbell may be lost, late, repeated or out of order. All that it says is where to look.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from lambdas.eventstore.dynamodb.items import Item, Key

Doorbells = dict[str, int]
"""For each aggregate, the highest version that was heard of."""

BATCH = 100
"""How many are dealt with at a time: the limit of BatchGetItem. As JSON they fit an SQS message (262,144 bytes)."""


def of(pointers: Iterable[Key]) -> Doorbells:
    doorbells: Doorbells = {}
    for aggregate, version in pointers:
        doorbells[aggregate] = max(version, doorbells.get(aggregate, 0))
    return doorbells


def from_stream(records: Iterable[Mapping[str, Any]]) -> Doorbells:
    """From records of the events table's stream, as Lambda gets them."""
    return of(pointer(record["dynamodb"]["Keys"]) for record in records)


def pointer(item: Item) -> Key:
    """Where an event lies. Whatever number somebody has put there by hand: this only says where to look."""
    return item["aggregateId"]["S"], int(float(item["aggregateVersion"]["N"]))


def from_json(pointers: Iterable[Mapping[str, Any]]) -> Doorbells:
    """From what `to_json` has made.

    Raises:
        KeyError, TypeError, ValueError: it has not.
    """
    doorbells = of((pointer["aggregateId"], int(pointer["aggregateVersion"])) for pointer in pointers)
    if not all(isinstance(aggregate, str) and aggregate for aggregate in doorbells):
        raise ValueError("an aggregate's id is text")
    return doorbells


def to_json(doorbells: Doorbells) -> list[dict[str, Any]]:
    return [{"aggregateId": aggregate, "aggregateVersion": version} for aggregate, version in doorbells.items()]


def batches(doorbells: Doorbells) -> Iterator[Doorbells]:
    """At most 100 at a time."""
    rest = iter(doorbells.items())
    while batch := dict(islice(rest, BATCH)):
        yield batch

"""Doorbells: which aggregates have news, and up to which version. Hints for a sequencer, never data.

A doorbell may be lost, late, repeated or out of order. All that it says is where to look. Anybody can put into the
table or the queue what is none; that is told apart here, one by one, so that it costs its neighbours nothing.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from lambdas.eventstore.dynamodb.items import Item, Key
from lambdas.eventstore.limits import MAX_INTEGER

Doorbells = dict[str, int]
"""For each aggregate, the highest version that was heard of."""

BATCH = 100
"""How many are dealt with at a time: the limit of BatchGetItem. As JSON they fit an SQS message (262,144 bytes)."""

LONGEST_ID = 128
"""Characters of an aggregate's id, as in `wire.schema.json`: the key of its mark is then far below 2,048 bytes."""


class Heard(NamedTuple):
    """What a sequencer was told."""

    doorbells: Doorbells
    others: list[str]
    """What came in the place of a doorbell and is none, shortened, for a person to tell what it was."""


def of(pointers: Iterable[Key]) -> Doorbells:
    doorbells: Doorbells = {}
    for aggregate, version in pointers:
        doorbells[aggregate] = max(version, doorbells.get(aggregate, 0))
    return doorbells


def from_stream(records: Iterable[Mapping[str, Any]]) -> Heard:
    """From records of the events table's stream, as Lambda gets them."""
    return from_items(record["dynamodb"]["Keys"] for record in records)


def from_items(items: Iterable[Item]) -> Heard:
    """From items of the events table, or their keys."""
    return _heard((item, pointer(item)) for item in items)


def from_json(pointers: Any) -> Heard:
    """From what `to_json` has made."""
    if not isinstance(pointers, list):
        return Heard({}, [_short(pointers)])
    return _heard((it, _pointer_of_json(it)) for it in pointers)


def from_text(text: str) -> Heard:
    """From what `to_json` has made, as JSON text."""
    try:
        return from_json(json.loads(text))
    except (ValueError, RecursionError):
        return Heard({}, [_short(text)])


def to_json(doorbells: Doorbells) -> list[dict[str, Any]]:
    return [{"aggregateId": aggregate, "aggregateVersion": version} for aggregate, version in doorbells.items()]


def batches(doorbells: Doorbells) -> Iterator[Doorbells]:
    """At most 100 at a time."""
    rest = iter(doorbells.items())
    while batch := dict(islice(rest, BATCH)):
        yield batch


def pointer(item: Item) -> Key | None:
    """Where an event lies, by its item or its key; None for what no event has as its key."""
    try:
        return _pointer(item["aggregateId"]["S"], int(item["aggregateVersion"]["N"]))
    except ValueError:  # of a number that is not whole
        return None


def _heard(told: Iterable[tuple[Any, Key | None]]) -> Heard:
    pointers, others = [], []
    for what, key in told:
        if key:
            pointers.append(key)
        else:
            others.append(_short(what))
    return Heard(of(pointers), others)


def _pointer_of_json(value: Any) -> Key | None:
    return _pointer(value.get("aggregateId"), value.get("aggregateVersion")) if isinstance(value, dict) else None


def _pointer(aggregate: Any, version: Any) -> Key | None:
    # A bool is an int, and 1.0 is none that `to_json` has made.
    if type(version) is not int or not 1 <= version <= MAX_INTEGER:
        return None
    if not isinstance(aggregate, str) or not 1 <= len(aggregate) <= LONGEST_ID or not _is_unicode(aggregate):
        return None
    return aggregate, version


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # of a lone surrogate, which JSON can hold and no service takes
        return False
    return True


def _short(value: Any) -> str:
    """At most 1,000 characters: as JSON, ten of them fit an SQS message, whatever they are."""
    return _shortening.repr(value)[:1000]


_shortening = reprlib.Repr()
_shortening.maxstring = _shortening.maxother = 500

"""Compares everything that a store keeps with what its log has signed, and says of each event that differs how.

Four things are compared: the log with the events, payloads with commitments, published entries with the log, and the
published tree with every signed checkpoint. The keys that verify checkpoints come from the deployment's outputs; of AWS
it takes only rights to read. Costs: every event, log page and file once; about 1 KB of memory for each event.

What was published is compared as it was first written, which Object Lock keeps, whatever was put in its place since.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambdas.eventstore import aws
from lambdas.eventstore.dynamodb.items import Item, Key, from_attribute
from lambdas.eventstore.dynamodb.paged_log import MissingPage
from lambdas.eventstore.dynamodb.table import EventsTable

from ..log import LedgerLog
from ..transparency.entries import entry_of, is_erased
from ..transparency.notes import InvalidNote, VerifierKey
from ..transparency.verifier import trusted_key
from .published import Published

_SETTLE_SECONDS = 5.0
"""How long an event of the last page may be on its way into the table of events."""


@dataclass(frozen=True)
class Difference:
    """`kind` is changed, missing, extra, moved or erased; or published, for what is wrong with the published log."""

    kind: str
    what: str
    event: Mapping[str, Any] | None = None
    position: int | None = None

    def __str__(self) -> str:
        if not self.event:
            return f"{self.kind}: {self.what}"
        place = f", position {self.position}" if self.position else ""
        aggregate, version = self.event.get("aggregateId"), self.event.get("aggregateVersion")
        return f"{self.kind}: version {version} of aggregate {aggregate!r}{place}: {self.what}"


@dataclass(frozen=True)
class Kept:
    """An event as one place keeps it. `entry` is empty if no entry can be made of it."""

    event: Mapping[str, Any]
    entry: bytes
    position: int | None

    @classmethod
    def of(cls, stored: Mapping[str, Any], position: int | None) -> Kept:
        try:
            entry = entry_of(stored)
        except Exception:  # whatever somebody has made of it
            entry = b""
        return cls({name: stored.get(name) for name in _SHOWN}, entry, position)

    @property
    def erased(self) -> bool:
        return is_erased(self.event)


_SHOWN = ("aggregateId", "aggregateVersion", "eventId", "eventType", "eventVersion", "salt", "metadata")


@dataclass
class Verification:
    """One look at a store."""

    events: EventsTable
    log: LedgerLog
    published: Published
    tell: Callable[[str], None] = lambda line: None
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, outputs: Mapping[str, Any], tell: Callable[[str], None] = lambda line: None) -> Verification:
        dynamodb = aws.client("dynamodb")
        keys: Sequence[VerifierKey] = [trusted_key(key) for key in outputs["log_keys"]]
        published = Published(aws.client("s3"), outputs["tiles_bucket"], outputs["log_origin"], keys)
        return cls(EventsTable(dynamodb, outputs["table"]), LedgerLog(dynamodb, outputs["log_table"]), published, tell)

    def differences(self) -> Iterator[Difference]:
        """In the order of the log, the first one first; none of an honest store."""
        self.tell("reading the events")
        stored = {_key(kept.event): kept for kept in map(_of_item, self._scan())}
        self.tell(f"{len(stored)} events; reading the log")
        log, hole = self._log()
        self.tell(f"{len(log)} events in the log; reading what is published")
        try:
            entries = self.published.read()
        except InvalidNote as error:
            entries = []
            yield Difference("published", f"the checkpoint is not valid: {error}")
        truth = [json.loads(entry) for entry in entries] + [kept.event for kept in log[len(entries) :]]
        places: dict[str, int] = {event["eventId"]: position for position, event in enumerate(truth, 1)}
        self.counts = {"events": len(truth), "published": len(entries), "erased": 0}
        for position, event in enumerate(truth, 1):
            in_log = log[position - 1] if position <= len(log) else None
            entry = entries[position - 1] if position <= len(entries) else in_log.entry if in_log else b""
            in_table = stored.pop(_key(event), None) or self._late(event)
            yield from self._differences_of(event, position, entry, in_log, in_table, places, hole)
        for kept in log[len(truth) :]:
            yield Difference("extra", "the log has it behind its end", kept.event, kept.position)
        for kept in sorted(stored.values(), key=lambda kept: str(kept.event["eventId"])):
            yield Difference("extra", "it is in the table of events, and in no log", kept.event)
        yield from (Difference("published", fault) for fault in self.published.faults())

    def summary(self) -> str:
        """Of a look that found nothing, in a sentence."""
        return (
            f"{self.counts['events']} events, all as they were stored; {self.counts['published']} of them are in the "
            f"published log, and {self.counts['erased']} have an erased payload"
        )

    def _differences_of(
        self,
        event: Mapping[str, Any],
        position: int,
        entry: bytes,
        in_log: Kept | None,
        in_table: Kept | None,
        places: Mapping[str, int],
        hole: str,
    ) -> Iterator[Difference]:
        def differs(kept: Kept | None, where: str, why: str = "") -> Iterator[Difference]:
            if kept is None:
                yield Difference("missing", f"{where} does not have it{why}", event, position)
            elif not entry or kept.entry != entry:
                kind, what = _how(kept, event, places)
                yield Difference(kind, f"{where} {what}", event, position)
            elif kept.position != position:
                yield Difference("moved", f"{where} has it at position {kept.position}", event, position)

        yield from differs(in_log, "the log", f": {hole}" if hole else "")
        yield from differs(in_table, "the table of events")
        erased = [bool(kept and kept.erased) for kept in (in_log, in_table)]
        if any(erased):
            self.counts["erased"] += 1
        if any(erased) and in_log and in_table and not all(erased):
            where = "the log" if erased[0] else "the table of events"
            yield Difference("erased", f"{where} has lost its payload, and not both", event, position)
        elif all(erased) and not self.published.has_record_of_erasure(position):
            yield Difference("erased", "its payload is gone, and there is no record of an erasure", event, position)

    def _scan(self) -> Iterator[Item]:
        start: dict[str, Any] = {}
        while True:
            page = self.events.client.scan(TableName=self.events.name, ConsistentRead=True, **start)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _log(self) -> tuple[list[Kept], str]:
        """The events of the log up to a hole, and what is said of that."""
        log: list[Kept] = []
        try:
            for page in self.log.pages(0):
                log += [Kept.of(entry, position) for position, entry in enumerate(page.entries, page.first)]
        except MissingPage as hole:
            return log, str(hole)
        return log, ""

    def _late(self, event: Mapping[str, Any]) -> Kept | None:
        """The event's item, if it has come into the table since that was read."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        last = self.log.tail()
        while True:
            if found := self.events.get([_key(event)]):
                return _of_item(found[_key(event)])
            is_last = last and any(_key(entry) == _key(event) for entry in last.entries)
            if not is_last or time.monotonic() > deadline:
                return None
            time.sleep(0.2)


def _how(kept: Kept, event: Mapping[str, Any], places: Mapping[str, int]) -> tuple[str, str]:
    """In which way an event is not what the log has signed."""
    other = kept.event["eventId"]
    if other != event["eventId"]:
        if other in places:
            return "moved", f"has the event of position {places[other]} in its place"
        return "changed", f"has another event in its place, {other}"
    names = [name for name in event if name in _SHOWN and name not in ("salt", "metadata")]
    if changed := [name for name in names if kept.event[name] != event[name]]:
        return "changed", f"has another {', '.join(changed)} of it"
    if not kept.event["metadata"] and not kept.event["salt"]:
        return "erased", "has neither its payload nor what is left of an erased one"
    return "changed", "has a payload that is not the one committed to"


def _of_item(item: Item) -> Kept:
    stored = {name: _plain(value) for name, value in item.items()}
    position = stored.get("logPosition")
    return Kept.of(stored, position if isinstance(position, int) else None)


def _plain(attribute: Any) -> Any:
    try:
        return from_attribute(attribute)
    except (TypeError, ValueError):
        return None


def _key(event: Mapping[str, Any]) -> Key:
    return event["aggregateId"], event["aggregateVersion"]

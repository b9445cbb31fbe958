"""Erasure: an event's payload and salt are replaced by what they were committed to, in the log and in the table.

Guarantees: nothing that is left tells what the payload was, and every proof stays valid; an erasure that was stopped
anywhere is completed by repeating it. Costs: for the n events of the request that stored it, n reads and n puts, and a
page. Fails: what was copied elsewhere before (projections, backups, exports) is not reached.

With the request id and the digest of its events, which would let somebody try guesses, all events of the request lose
what a repeated request is recognised by.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from lambdas.eventstore.dynamodb.items import Item, Key, from_attribute, key_of, to_attribute
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.log_first.log import Entry, Page
from lambdas.eventstore.log_first.store import LogFirstEventStore
from lambdas.eventstore.retry import Retries

from .bucket import ERASURES, Bucket
from .log import LedgerLog
from .proofs import NotFound
from .transparency.entries import erased, is_erased

_OF_THE_REQUEST = ("requestId", "requestDigest")


class Erasure:
    def __init__(self, store: LogFirstEventStore, events: EventsTable, log: LedgerLog, bucket: Bucket) -> None:
        self._store = store
        self._events = events
        self._log = log
        self._bucket = bucket

    def erase(self, aggregate_id: str, version: int | None = None) -> int:
        """Erase one event's payload, or those of a whole aggregate; answer with how many have none now.

        Raises:
            NotFound: there is no such event.
        """
        self._store.settle()
        items = list(self._items(aggregate_id, version))
        if not items:
            raise NotFound(f"aggregate {aggregate_id!r} has no event" + (f" of version {version}" if version else ""))
        for item in items:
            self._erase(key_of(item), int(item["logPosition"]["N"]))
        return len(items)

    def _items(self, aggregate_id: str, version: int | None) -> Iterable[Item]:
        if version is None:
            return self._events.items(aggregate_id, 1, 100)
        return self._events.get([(aggregate_id, version)]).values()

    def _erase(self, event: Key, position: int) -> None:
        """First in the log, which is the truth; each step does nothing where it was done before."""
        page = self._erased_in_the_log(event, position)
        self._log.blank(page.item)
        bare = {_key(entry) for entry in page.entries if "requestId" not in entry}
        for other, stored in self._events.get(bare).items():
            self._replace(stored, _without(stored, payload=other == event))

    def _erased_in_the_log(self, event: Key, position: int) -> Page:
        retries = Retries()
        while True:
            page = self._log.page_of(position)
            [entry] = [entry for entry in page.entries if _key(entry) == event]
            if is_erased(entry):
                return page
            self._bucket.put_once(f"{ERASURES}{position}", _record(entry))
            entries = [_bare(erased(other), entry) if other is entry else _bare(other, entry) for other in page.entries]
            if self._log.replace(page, entries):
                return self._log.page_of(position)
            retries.pause("other erasures changed the page of this event")

    def _replace(self, stored: Item, left: Item) -> None:
        if left != stored:
            self._events.client.put_item(
                TableName=self._events.name,
                Item=left,
                ConditionExpression="eventId = :id",
                ExpressionAttributeValues={":id": stored["eventId"]},
            )


def _without(stored: Item, *, payload: bool) -> Item:
    """An event's item without what tells of its request, and if `payload`, without that."""
    left = {name: value for name, value in stored.items() if name not in _OF_THE_REQUEST}
    if not payload or "salt" not in stored:
        return left
    plain = erased({name: from_attribute(stored[name]) for name in ("salt", "metadata")})
    return {
        **{name: value for name, value in left.items() if name != "salt"},
        "metadata": to_attribute(plain["metadata"]),
    }


def _bare(entry: Entry, erased: Entry) -> Entry:
    """An entry without what tells of its request, if that is the request of the erased one."""
    if entry.get("requestId") != erased.get("requestId"):
        return entry
    return {name: value for name, value in entry.items() if name not in _OF_THE_REQUEST}


def _record(entry: Entry) -> bytes:
    """What is kept of an erasure, so that it can be told from a payload that somebody else removed."""
    return json.dumps({name: entry[name] for name in ("aggregateId", "aggregateVersion", "eventId")}).encode()


def _key(entry: Entry) -> Key:
    return entry["aggregateId"], entry["aggregateVersion"]

"""Compares the events with the log of all of them, and repairs either from the other.

Positions count without holes; each entry of the log tells of an event that is stored at this position, the same as in
the entry if that holds it; each event has its entry, and versions rise with positions. Costs: 1 read unit for each 4 KB
of both tables.

Why they can differ: a backup may hold a part of a transaction (developerguide/transaction-apis, read 2026-11), and two
tables are restored each by itself. The repair only adds: an entry it makes again from the event, an event from an entry
that holds it whole, but for its request id. The entry of an event above about 4 KB does not: that one is lost.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws, ksuids
from lambdas.eventstore.audits import REBUILD, Difference, Environ, Tell
from lambdas.eventstore.dynamodb.appends import VERSION_IS_FREE
from lambdas.eventstore.dynamodb.audit import NOT_ORDERED, NOT_STORED, Entry, Index, Remedies, digest_of, scan
from lambdas.eventstore.dynamodb.items import Item, key_of, to_attribute, to_event
from lambdas.eventstore.dynamodb.reads import query_items
from lambdas.eventstore.dynamodb.table import EventsTable

from .store import POSITION_IS_FREE, entry_of

_ANOTHER_MOMENT = "restore both tables to another moment, some seconds earlier or later (make restore-drill)"
_REMEDIES = Remedies(
    lost_event="make repair gives it back, if the log holds it whole; do that before anything is stored",
    lost_entry="make repair adds its entry; do that before anything is stored",
    hole=_ANOTHER_MOMENT,
)

_UP_TO_THE_END = """
SELECT place FROM ordered UNION SELECT position FROM stored WHERE position <= (SELECT max(place) FROM ordered)
"""
"""An entry whose transaction commits while the log is read may be seen before one in front of it."""

_SET_BACK = {"S": "set back"}
_PAGE = 1000


def audit(environ: Environ, tell: Tell, settle_seconds: float) -> str:
    """`AuditModule.audit`."""
    store = _Store(environ, tell, settle_seconds)
    store.index.refuse_contradictions(_ANOTHER_MOMENT)
    store.index.refuse_what_one_place_lacks(_REMEDIES)
    store.refuse_holes_in_positions(_UP_TO_THE_END, store.ends_at)
    return store.index.summary() + "".join(
        f"; set back to {end}, noted {noted}: {REBUILD} it" for end, noted, _ in store.times_set_back()
    )


def repair(environ: Environ, tell: Tell, *, restored: bool) -> None:
    """`Repairs.repair`."""
    store = _Store(environ, tell, 0)
    index = store.index
    index.refuse_contradictions(_ANOTHER_MOMENT)
    index.refuse_holes_in_versions(_ANOTHER_MOMENT)
    store.refuse_holes_in_positions("SELECT place FROM ordered UNION SELECT position FROM stored", store.ends_at)
    if lost := index.first(f"SELECT * FROM ({NOT_STORED}) WHERE event_id IS NULL ORDER BY place LIMIT 1"):
        raise Difference(
            f"version {lost[1]} of aggregate {lost[0]!r}, at position {lost[2]}, is lost: the events table does not"
            f" have it, and it is too large for the log to hold. {_ANOTHER_MOMENT}"
        )
    if restored and not any(table == store.log for _, _, table in store.times_set_back()):
        store.note_set_back()
    number = 0
    for _, _, place, _ in index.sql.execute(f"{NOT_STORED} ORDER BY place"):
        store.give_back(place)
        number += 1
    tell(f"{number} events given back to the events table")
    number = 0
    for aggregate, version, *_ in index.sql.execute(f"SELECT * FROM ({NOT_ORDERED}) ORDER BY position"):
        store.add_entry(aggregate, version)
        number += 1
    tell(f"{number} entries added to the log")


class _Store:
    """Both tables, read: the log first, whose events are all stored by then."""

    def __init__(self, environ: Environ, tell: Tell, settle_seconds: float) -> None:
        self._client = aws.client("dynamodb")
        self._events, self.log = EventsTable(self._client, environ["TABLE"]), environ["LOG_TABLE"]
        self.ends_at = 0
        """Where the append of the last entry ends, as that says."""
        settled = ksuids.first_of(time.time() - settle_seconds)
        self.index = Index(tell)
        self.index.add_ordered(self._entries())
        self.index.add_stored(scan(self._client, self._events.name), settled, position="logPosition")

    def refuse_holes_in_positions(self, places: str, ends_at: int) -> None:
        """Up to the last, or to where the append of the last entry ends: a backup may hold a part of that."""
        last = max(ends_at, self.index.number(f"SELECT max(place) FROM ({places})"))
        count = self.index.number(f"SELECT count(DISTINCT place) FROM ({places})")
        if count < last:
            first = self.index.number(
                f"SELECT min(place) FROM (SELECT 0 AS place UNION {places}) p"
                f" WHERE NOT EXISTS (SELECT 1 FROM ({places}) q WHERE q.place = p.place + 1)"
            )
            raise Difference(f"no event is at position {first + 1}, and the log goes to {last}: {_ANOTHER_MOMENT}")

    def give_back(self, position: int) -> None:
        """Put the event that the log holds at this position."""
        [entry] = [entry for entry in self._query(position, position + 1) if "metadata" in entry]
        own = ("logId", "logKey", "lastPosition", "busyUntil")
        self._put(self._events.name, {name: it for name, it in entry.items() if name not in own}, VERSION_IS_FREE)

    def add_entry(self, aggregate: str, version: int) -> None:
        """Put the entry of a stored event, as of an append of its own."""
        [item] = self._events.get([(aggregate, version)]).values()
        self._put(self.log, entry_of(item, item["logPosition"]["N"], item["logPosition"]), POSITION_IS_FREE)

    def times_set_back(self) -> list[tuple[int, str, str]]:
        """Where the log ended after each time that it was set back, when that was noted, and in which table."""
        items = query_items(self._client, self._log_query("logId = :log", {":log": _SET_BACK}), _PAGE)
        return [(int(item["logKey"]["N"]), item["noted"]["S"], item["inTable"]["S"]) for item in items]

    def note_set_back(self) -> None:
        note = {
            "logId": _SET_BACK,
            "logKey": to_attribute(self.index.number("SELECT max(place) FROM ordered")),
            "noted": to_attribute(datetime.now(UTC).isoformat(timespec="seconds")),
            "inTable": to_attribute(self.log),
        }
        self._client.put_item(TableName=self.log, Item=note)

    def _put(self, table: str, item: Item, condition: str) -> None:
        try:
            self._client.put_item(TableName=table, Item=item, ConditionExpression=condition)
        except ClientError as error:
            if aws.error_code(error) != "ConditionalCheckFailedException":
                raise
            # By this very call, whose answer was lost; or by a writer, and then the audit that follows says so.

    def _entries(self) -> Iterator[Entry]:
        for entry in self._query(1, None):
            try:
                self.ends_at = int(entry["lastPosition"]["N"])
                whole = to_event(entry) if "metadata" in entry else None
                held = (whole.event_id, digest_of(whole)) if whole else (None, None)
                place = int(entry["logPosition"]["N"]), *key_of(entry)
            except (KeyError, TypeError, ValueError, AttributeError) as problem:
                raise Difference(
                    f"the item {entry['logKey']['N']} of the log is no entry ({type(problem).__name__}: {problem}): no"
                    " function has put it there. Delete it, and make repair puts the entry there if its event is stored"
                ) from None
            yield *place, *held

    def _query(self, first: int, behind: int | None) -> Iterator[Item]:
        """The entries at positions from `first` on, and before `behind`."""
        values = {":log": {"S": "all"}, ":first": to_attribute(first)}
        query = self._log_query("logId = :log AND logKey >= :first", values)
        for entry in query_items(self._client, query, _PAGE):
            if behind and int(entry["logPosition"]["N"]) >= behind:
                return
            yield entry

    def _log_query(self, condition: str, values: dict[str, Any]) -> dict[str, Any]:
        return {
            "TableName": self.log,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }

"""What audits of stores on DynamoDB have in common: all events, side by side with the order of all events, in SQL.

Both are read into an SQLite database on disk that only this process sees, and that ends with it; memory does not grow
with the store. Costs: one read unit for each 4 KB of what is read, strongly consistently.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from lambdas.eventstore import ksuids
from lambdas.eventstore.audits import Difference, Tell
from lambdas.eventstore.dynamodb.items import Item, to_event
from lambdas.eventstore.events import StoredEvent

_TABLES = """
CREATE TABLE stored (
    aggregate TEXT, version INTEGER, event_id TEXT, digest BLOB, position INTEGER, settled INTEGER,
    PRIMARY KEY (aggregate, version)
) WITHOUT ROWID;
CREATE TABLE ordered (place, aggregate TEXT, version INTEGER, event_id TEXT, digest BLOB);
CREATE INDEX by_place ON ordered (place);
CREATE INDEX by_version ON ordered (aggregate, version);
"""
_REPORT_EACH = 10_000
_DIGEST_BYTES = 16


Entry = tuple[int | str, str, int, str | None, bytes | None]
"""Of the order: place, aggregate, version; id and digest, or None where an entry does not hold them."""

Read = Callable[[Item], StoredEvent]
"""Makes an event of an item."""


class Remedies(NamedTuple):
    """What to do about each kind of difference; the pattern's own words."""

    lost_event: str
    lost_entry: str
    hole: str


class Index:
    """`stored` are the events of the events table; `ordered` the entries of the order of all events, by their place:
    a position or an id."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        # Of no name: in a file that SQLite deletes when this is closed (sqlite.org/inmemorydb.html).
        self.sql = sqlite3.connect("")
        self.sql.executescript(_TABLES)

    def add_stored(
        self, items: Iterable[Item], settled: str, position: str | None = None, read: Read = to_event
    ) -> None:
        """The items of the events table. Those with ids from `settled` on may miss in the order.

        Raises:
            Difference: an item is no event.
        """

        def rows() -> Iterator[tuple[Any, ...]]:
            for item in self._counted(items, "events"):
                event = event_of(item, read)
                at = int(item[position]["N"]) if position else None
                key = event.aggregate_id, event.aggregate_version
                yield *key, event.event_id, digest_of(event), at, event.event_id < settled

        self.sql.executemany("INSERT INTO stored VALUES (?, ?, ?, ?, ?, ?)", rows())

    def add_ordered(self, entries: Iterable[Entry]) -> None:
        counted = self._counted(entries, "entries of the order")
        self.sql.executemany("INSERT INTO ordered VALUES (?, ?, ?, ?, ?)", counted)

    def number(self, query: str, *values: Any) -> int:
        """The one number that a query answers with; 0 for none."""
        return int(self.sql.execute(query, values).fetchone()[0] or 0)

    def first(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self.sql.execute(query, values).fetchone()
        return found

    def refuse_holes_in_versions(self, remedy: str) -> None:
        """That no place fills: a version whose predecessor is neither stored nor in the order."""
        hole = self.first(
            """WITH event AS (SELECT aggregate, version FROM stored UNION SELECT aggregate, version FROM ordered)
            SELECT aggregate, version FROM event e WHERE version > 1
            AND NOT EXISTS (SELECT 1 FROM stored s WHERE s.aggregate = e.aggregate AND s.version = e.version - 1)
            AND NOT EXISTS (SELECT 1 FROM ordered o WHERE o.aggregate = e.aggregate AND o.version = e.version - 1)
            ORDER BY aggregate, version LIMIT 1"""
        )
        if hole:
            raise Difference(
                f"aggregate {hole[0]!r} has version {hole[1]} and nothing has version {hole[1] - 1}: {remedy}"
            )

    def refuse_contradictions(self, remedy: str) -> None:
        """What no repair can decide: a place or an event twice, two events of one name, or one that is not the same in
        both tables, an order against versions."""
        if shared := self.first("SELECT place FROM ordered GROUP BY place HAVING count(*) > 1 ORDER BY place LIMIT 1"):
            raise Difference(f"two entries of the order are at {shared[0]}: {remedy}")
        if twice := self.first(
            "SELECT aggregate, version, min(place), max(place) FROM ordered GROUP BY aggregate, version"
            " HAVING count(*) > 1 ORDER BY min(place) LIMIT 1"
        ):
            raise Difference(f"{_name(twice)} is in the order twice, at {twice[2]} and {twice[3]}: {remedy}")
        if other := self.first(
            """SELECT aggregate, version, place, s.event_id, o.event_id, s.position FROM ordered o
            JOIN stored s USING (aggregate, version)
            WHERE o.event_id <> s.event_id OR o.place <> s.position OR o.digest <> s.digest ORDER BY place LIMIT 1"""
        ):
            _, _, place, stored, ordered, position = other
            if ordered and stored != ordered:
                what = f"the ids {stored} and {ordered}"
            elif position not in (None, place):
                what = f"the position {position}"
            else:
                what = "another type, version of its type, or metadata in each"
            raise Difference(f"{_name(other)}, in the order at {place}, has in the two tables {what}: {remedy}")
        if against := self.first(
            """SELECT later.aggregate, later.version, later.place, earlier.place FROM ordered later
            JOIN ordered earlier ON earlier.aggregate = later.aggregate AND earlier.version = later.version - 1
            WHERE earlier.place > later.place ORDER BY later.place LIMIT 1"""
        ):
            raise Difference(
                f"{_name(against)} is in the order at {against[2]}, before version {against[1] - 1}, at {against[3]}:"
                f" {remedy}"
            )

    def refuse_what_one_place_lacks(self, remedies: Remedies) -> None:
        if lost := self.first(f"SELECT aggregate, version, place FROM ({NOT_STORED}) ORDER BY place LIMIT 1"):
            raise Difference(
                f"{_name(lost)} is in the order, at {lost[2]}, and not in the events table: {remedies.lost_event}"
            )
        if missing := self.first(
            f"SELECT aggregate, version FROM ({NOT_ORDERED}) WHERE settled ORDER BY aggregate, version LIMIT 1"
        ):
            raise Difference(
                f"{_name(missing)} is in the events table, and not in the order of all events: {remedies.lost_entry}"
            )
        self.refuse_holes_in_versions(remedies.hole)

    def summary(self) -> str:
        events = self.number("SELECT count(*) FROM stored")
        aggregates = self.number("SELECT count(DISTINCT aggregate) FROM stored")
        return f"{events} events of {aggregates} aggregates, {self.number('SELECT count(*) FROM ordered')} in the order"

    def _counted(self, things: Iterable[Any], what: str) -> Iterator[Any]:
        number = 0
        for number, thing in enumerate(things, 1):
            if number % _REPORT_EACH == 0:
                self._tell(f"{number} {what} read")
            yield thing
        self._tell(f"{number} {what} read, all")


NOT_ORDERED = (
    "SELECT aggregate, version, event_id, position, settled FROM stored s WHERE NOT EXISTS"
    " (SELECT 1 FROM ordered o WHERE o.aggregate = s.aggregate AND o.version = s.version)"
)
"""The stored events that the order of all events does not have."""

NOT_STORED = (
    "SELECT aggregate, version, place, event_id FROM ordered o WHERE NOT EXISTS"
    " (SELECT 1 FROM stored s WHERE s.aggregate = o.aggregate AND s.version = o.version)"
)
"""The entries of the order whose events the events table does not have."""


def scan(client: Any, table: str, **request: Any) -> Iterator[Item]:
    """All items of a table, strongly consistent each."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **request)
    for page in pages:
        yield from page["Items"]


def digest_of(event: StoredEvent) -> bytes:
    """Of all that an event says, wherever it is kept."""
    said = json.dumps({**event.to_wire(), "offset": None}, sort_keys=True)
    return hashlib.blake2b(said.encode(), digest_size=_DIGEST_BYTES).digest()


def event_of(item: Item, read: Read = to_event) -> StoredEvent:
    """
    Raises:
        Difference: `item` is no event.
    """
    try:
        event = read(item)
        if not ksuids.is_ksuid(event.event_id) or not isinstance(event.metadata, dict) or event.event_version < 1:
            raise ValueError("an attribute has a value that no event has")
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        key = {name: item.get(name) for name in ("aggregateId", "aggregateVersion")}
        raise Difference(
            f"the item {key} of the events table is no event ({type(problem).__name__}: {problem}): no function has"
            " put it there. Put the event that it was in its place, from a backup, or delete it if it never was one"
        ) from None
    return event


def _name(found: tuple[Any, ...]) -> str:
    return f"version {found[1]} of aggregate {found[0]!r}"

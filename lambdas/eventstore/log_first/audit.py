"""The audit and the repair of a store whose log is the commit: its pages, and the events in a table of their own.

What is compared: positions count without holes; each event of the log is in the table, the same in both, but for those
of the last page, which the next writer puts there; each event of the table is in the log, at its position; versions
rise with positions. Costs: 1 read unit for each 4 KB of the events table, and 1 for each 4 KB of the log.

The repair only adds. Events that the table has lost it puts there again from their pages; events behind the end of the
log, which was set back then, get pages again, each its own. Each write is conditional on what it relies on.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from lambdas.eventstore import aws, ksuids
from lambdas.eventstore.audits import Difference, Environ, Tell
from lambdas.eventstore.dynamodb.appends import VERSION_IS_FREE
from lambdas.eventstore.dynamodb.audit import NOT_ORDERED, NOT_STORED, Index, Remedies, scan
from lambdas.eventstore.dynamodb.items import Item, from_attribute
from lambdas.eventstore.dynamodb.paged_log import PositionTaken, first_position, page_item
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.dynamodb.whole_log import WholePagedLog
from lambdas.eventstore.log_first.log import Page, RequestLog

_ANOTHER_MOMENT = "restore both tables to another moment, some seconds earlier or later (make restore-drill)"
_STOP = "Stop writers, and make repair"
_REMEDIES = Remedies(
    lost_event=f"the table was set back, or the item deleted. {_STOP}",
    lost_entry=f"the log was set back. {_STOP}",
    hole=_ANOTHER_MOMENT,
)


def audit(environ: Environ, tell: Tell, settle_seconds: float) -> str:
    """`AuditModule.audit`."""
    store = _Store(environ, tell, settle_seconds)
    store.leave_out_what_is_under_way()
    store.refuse_contradictions()
    store.index.refuse_what_one_place_lacks(_REMEDIES)
    return f"{store.index.summary()}{store.log.notes()}"


def repair(environ: Environ, tell: Tell, *, restored: bool) -> None:
    """`Repairs.repair`."""
    store = _Store(environ, tell, 0)
    index, log = store.index, store.log
    store.refuse_contradictions()
    index.refuse_holes_in_versions(_ANOTHER_MOMENT)
    store.refuse_holes_behind_the_end()
    set_back = bool(index.first(f"{NOT_ORDERED} LIMIT 1"))
    noted = any(table == log.name for _, _, table in log.times_set_back())
    if set_back or (restored and not noted):
        log.note_set_back(store.end, datetime.now(UTC).isoformat(timespec="seconds"))
    number = 0
    for _, _, place, _ in index.sql.execute(f"{NOT_STORED} ORDER BY place"):
        store.give_back(place)
        number += 1
    tell(f"{number} events given back to the events table")
    number = 0
    for aggregate, version, *_ in index.sql.execute(f"{NOT_ORDERED} ORDER BY position"):
        store.append_again(aggregate, version)
        number += 1
    tell(f"{number} events given back to the log")


class _Log(WholePagedLog, RequestLog):
    def page_of(self, position: int) -> Item:
        """The page with the event at `position`."""
        [page] = self._query("<=", position, 1, newest_first=True)
        return page

    def item_at(self, position: int) -> Item:
        """The item, for the table of events, of the event at `position`."""
        page = self.complete(Page(self.page_of(position), []))
        return page.items()[position - page.first]


class _Store:
    """All of a store, read: the log first, whose events but for the last page's are all stored by then."""

    def __init__(self, environ: Environ, tell: Tell, settle_seconds: float) -> None:
        client = aws.client("dynamodb")
        self._events, self.log = EventsTable(client, environ["TABLE"]), _Log(client, environ["LOG_TABLE"])
        self.index = Index(tell)
        settled = ksuids.first_of(time.time() - settle_seconds)
        self.index.add_ordered(self.log.entries())
        self.end = self.index.number("SELECT max(place) FROM ordered")
        self.index.add_stored(scan(client, self._events.name), settled, position="logPosition")

    def refuse_contradictions(self) -> None:
        self.index.refuse_contradictions(_ANOTHER_MOMENT)
        if other := self.index.first(
            f"SELECT aggregate, version, position FROM ({NOT_ORDERED}) WHERE position <= ? ORDER BY position LIMIT 1",
            self.end,
        ):
            raise Difference(
                f"version {other[1]} of aggregate {other[0]!r} has the position {other[2]} in the events table, where"
                f" the log has another event: {_ANOTHER_MOMENT}"
            )

    def refuse_holes_behind_the_end(self) -> None:
        """Of events that are to get pages again."""
        last = self.index.number("SELECT max(position) FROM stored")
        if hole := self.index.first(
            f"SELECT place FROM (SELECT ? AS place UNION SELECT position FROM ({NOT_ORDERED})) p WHERE place < ?"
            " AND NOT EXISTS (SELECT 1 FROM stored s WHERE s.position = p.place + 1) ORDER BY place LIMIT 1",
            self.end,
            last,
        ):
            raise Difference(
                f"no event is at position {hole[0] + 1}, and there are some up to {last}: {_ANOTHER_MOMENT}"
            )

    def leave_out_what_is_under_way(self) -> None:
        """The last page's events count as stored, since the next writer puts them into the table. Of later pages, which
        were put while this was read, the table may have a part."""
        if self.end:
            self.index.sql.execute(
                "INSERT INTO stored SELECT aggregate, version, event_id, digest, place, 1 FROM ordered WHERE place >= ?"
                f" AND place IN (SELECT place FROM ({NOT_STORED}))",
                (first_position(self.log.page_of(self.end)),),
            )
        self.index.sql.execute("DELETE FROM stored WHERE position > ? AND NOT settled", (self.end,))

    def give_back(self, position: int) -> None:
        try:
            self._events.client.put_item(
                TableName=self._events.name, Item=self.log.item_at(position), ConditionExpression=VERSION_IS_FREE
            )
        except ClientError as error:
            if aws.error_code(error) != "ConditionalCheckFailedException":
                raise
            # By this very call, whose answer was lost; or by a writer, and then the audit that follows says so.

    def append_again(self, aggregate: str, version: int) -> None:
        """Put a page with a stored event, at its position."""
        [item] = self._events.get([(aggregate, version)]).values()
        entry = {name: from_attribute(value) for name, value in item.items() if name != "logPosition"}
        text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        with suppress(PositionTaken):  # as above
            self.log.put(page_item(int(item["logPosition"]["N"]), [text]))

"""The audit and the repair of a store with a sequenced log: events, pages of the log, marks, checkpoint.

What is compared: positions count without holes; each event of the log is in the events table, the same in all; each
event of the table is in the log, once, behind its predecessor; marks tell exactly what the pages hold, and the
checkpoint no more. Costs: 1 read unit for each 4 KB of the events table, and 2 for each 4 KB of the log.

The repair only adds. Events that the table has lost it takes from the pages, whole but for their request ids; events
that the log has lost it has sequenced, behind the others; marks and checkpoint it makes again from the pages. Each
write is conditional on what it relies on, so that an invocation under way does no harm. New ones must not begin: by a
mark that is too high a sequencer leaves an event out, and what a writer stores under a version that is yet to be given
back nothing can reconcile. The next audit would say so.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from lambdas.eventstore import aws, ksuids
from lambdas.eventstore.audits import REBUILD, Difference, Environ, Tell
from lambdas.eventstore.dynamodb.appends import VERSION_IS_FREE
from lambdas.eventstore.dynamodb.audit import NOT_ORDERED, NOT_STORED, Index, Remedies, scan
from lambdas.eventstore.dynamodb.items import to_attribute
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.sequencing import doorbells
from lambdas.eventstore.sequencing.sequencer import Sequencer
from lambdas.eventstore.sequencing.whole_log import Raised, WholeLog

_RESTORE = "nothing in the two tables decides it. Restore both to a moment before it came about (make restore-drill)"
_REMEDIES = Remedies(
    lost_event="the table was set back, or the item deleted. Stop writers and sequencer, and make repair",
    lost_entry="the sequencer and its sweep stand still, see their alarms; or the log was set back, then make repair",
    hole="restore both tables to another moment, some seconds earlier or later, or put that event back from a backup",
)
_STOP = "Stop writers and sequencer, and make repair"

_MARKS = "CREATE TABLE marks (aggregate TEXT PRIMARY KEY, reached INTEGER) WITHOUT ROWID"
_REACHED = "(SELECT max(version) FROM ordered o WHERE o.aggregate = marks.aggregate)"
_TOO_HIGH = f"SELECT aggregate, reached, coalesce({_REACHED}, 0) FROM marks WHERE reached > coalesce({_REACHED}, 0)"
_TOO_LOW = """
SELECT aggregate, coalesce((SELECT reached FROM marks m WHERE m.aggregate = o.aggregate), 0) AS reached, max(version)
FROM ordered o WHERE place <= ? GROUP BY aggregate HAVING max(version) > reached
"""


def audit(environ: Environ, tell: Tell, settle_seconds: float) -> str:
    """`AuditModule.audit`."""
    events, log = _open(environ)
    store = _Store(events, log, tell, settle_seconds)
    index = store.index
    _refuse_contradictions(index)
    if store.checkpoint > store.end:
        raise Difference(
            f"the checkpoint is at {store.checkpoint}, and the log ends at {store.end}: it was set back. {_STOP};"
            f" {REBUILD} it"
        )
    if high := index.first(f"{_TOO_HIGH} ORDER BY aggregate LIMIT 1"):
        raise Difference(
            f"the mark of aggregate {high[0]!r} is at version {high[1]}, and the log has it up to {high[2]}: its events"
            f" up to the mark would never enter the log. {_STOP}"
        )
    index.refuse_what_one_place_lacks(_REMEDIES)
    if low := index.first(f"{_TOO_LOW} ORDER BY aggregate LIMIT 1", store.checkpoint):
        raise Difference(
            f"the mark of aggregate {low[0]!r} is at version {low[1]}, and the log has it up to {low[2]}: its events"
            f" behind the mark would enter the log twice. {_STOP}"
        )
    return f"{index.summary()}{log.notes()}"


def repair(environ: Environ, tell: Tell, *, restored: bool) -> None:
    """`Repairs.repair`."""
    events, log = _open(environ)
    store = _Store(events, log, tell, 0)
    _refuse_contradictions(store.index)
    store.index.refuse_holes_in_versions(_REMEDIES.hole)
    noted = any(table == log.name for _, _, table in log.times_set_back())
    if store.checkpoint > store.end or (restored and not noted):
        # First, since nothing tells of it any more once the checkpoint is lowered, or the log has grown.
        log.note_set_back(store.end, datetime.now(UTC).isoformat(timespec="seconds"))
    try:
        _set_marks(store, tell)
    except Raised:
        raise Difference(
            "the sequencer has run meanwhile, and nothing is lost: stop it, and make repair again"
        ) from None
    tell(f"{_give_back(store)} events given back to the events table")
    _sequence(store, tell)


def _refuse_contradictions(index: Index) -> None:
    index.refuse_contradictions(_RESTORE)
    if skipped := index.first(
        """SELECT aggregate, version, place FROM ordered o WHERE version > 1 AND NOT EXISTS
        (SELECT 1 FROM ordered e WHERE e.aggregate = o.aggregate AND e.version = o.version - 1)
        ORDER BY place LIMIT 1"""
    ):
        aggregate, version, place = skipped
        raise Difference(
            f"version {version} of aggregate {aggregate!r} is in the order at {place}, and version {version - 1} is not"
            f" before it: a sequencer went by a mark that was too high. {_RESTORE}"
        )


class _Store:
    """All of a store, read: checkpoint and marks first, which tell of no more than the pages that are read next, and
    the events last, among which are all that the pages hold."""

    def __init__(self, events: EventsTable, log: WholeLog, tell: Tell, settle_seconds: float) -> None:
        settled = ksuids.first_of(time.time() - settle_seconds)
        self.events, self.log = events, log
        self.index = Index(tell)
        self.checkpoint = log.checkpoint()
        self.index.sql.execute(_MARKS)
        self.index.sql.executemany("INSERT INTO marks VALUES (?, ?)", log.marks())
        self.index.add_ordered(log.entries())
        self.end = self.index.number("SELECT max(place) FROM ordered")
        self.index.add_stored(scan(events.client, events.name), settled)


def _open(environ: Environ) -> tuple[EventsTable, WholeLog]:
    client = aws.client("dynamodb")
    return EventsTable(client, environ["TABLE"]), WholeLog(client, environ["LOG_TABLE"])


def _set_marks(store: _Store, tell: Tell) -> None:
    """The checkpoint before all marks: a sequencer that went by it would leave a hole behind the end."""
    if store.checkpoint > store.end:
        store.log.lower_mark(None, store.checkpoint, store.end)
    number = 0
    for aggregate, seen, reached in store.index.sql.execute(_TOO_HIGH):
        store.log.lower_mark(aggregate, seen, reached)
        number += 1
    for aggregate, _, reached in store.index.sql.execute(_TOO_LOW, (store.end,)):
        store.log.raise_mark(aggregate, reached)
        number += 1
    tell(f"{number} marks set")


def _give_back(store: _Store) -> int:
    """In the order of the log, so that at no moment an aggregate lacks a version in the middle."""
    number = 0
    for page in store.log.all_pages() if store.index.first(f"{NOT_STORED} LIMIT 1") else ():
        for event in page:
            key = event.aggregate_id, event.aggregate_version
            if not store.index.first("SELECT 1 FROM stored WHERE aggregate = ? AND version = ?", *key):
                _put(store.events, event)
                number += 1
    return number


def _put(events: EventsTable, event: StoredEvent) -> None:
    item = {name: to_attribute(value) for name, value in event.to_wire().items() if name != "offset"}
    try:
        events.client.put_item(TableName=events.name, Item=item, ConditionExpression=VERSION_IS_FREE)
    except ClientError as error:
        if aws.error_code(error) != "ConditionalCheckFailedException":
            raise
        # By this very call, whose answer was lost; or by a writer, and then the audit that follows says so.


def _sequence(store: _Store, tell: Tell) -> None:
    """Have the sequencer do it, in the order of the ids, which is about that in which the events were stored."""
    sequencer = Sequencer(store.events, store.log)
    missing = store.index.sql.execute(f"SELECT aggregate, version FROM ({NOT_ORDERED}) ORDER BY event_id")
    number = 0
    while batch := missing.fetchmany(doorbells.BATCH):
        outcome = sequencer.sequence(doorbells.of(batch))
        if outcome.unmet:
            aggregate, version = next(iter(outcome.unmet.items()))
            raise Difference(f"version {version} of aggregate {aggregate!r} cannot be sequenced: {_REMEDIES.hole}")
        number += len(batch)
        tell(f"{number} events sequenced")

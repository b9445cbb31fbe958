"""One table in Aurora PostgreSQL, reached through the RDS Data API with one call for each operation.

Guarantees: one total order over all events, which never changes; an aggregate's events are strongly consistent. Costs:
one statement an operation, however many events, and the database's capacity by the hour. Fails: an event shows to
readers of all events only when every transaction that began before its own has ended, so a long transaction on the
cluster holds them back; a paused database takes 15 seconds or more to answer.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence

from lambdas.eventstore import ksuids, offsets
from lambdas.eventstore.contract import AggregatePage, Append, EventStore, LogPage
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.retry import Retries

from . import data_api
from .data_api import Database, Row

_APPEND = """
SELECT event_id, "offset", current_version
FROM append_events(CAST(:request AS json), CAST(:request_id AS text), CAST(:request_digest AS text))
"""
_AGGREGATE_PAGE = "SELECT * FROM aggregate_page(:aggregate_id, :from_version, :wanted, :result_bytes)"
_LOG_PAGE = "SELECT * FROM log_page(:transaction_id, :position, :wanted, :result_bytes)"

_RESULT_BYTES = 1_000_000
"""Of a page, as the Data API counts; its limit is 1 MiB. As JSON with all non-ASCII characters escaped that is 3 MB at
most, which a Lambda may answer with."""

_OFFSET = re.compile(r"(0|[1-9][0-9]{0,17})-(0|[1-9][0-9]{0,17})", re.ASCII)


def from_environment(environ: Mapping[str, str]) -> AuroraEventStore:
    """The store that the Lambda's environment describes: CLUSTER_ARN, SECRET_ARN, DATABASE."""
    return AuroraEventStore(data_api.from_environment(environ))


class AuroraEventStore(EventStore):
    """On a database with all migrations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        # The ids stay the same over all attempts, so that one which took effect unseen is recognised by the next.
        event_ids = ksuids.issue(len(append.events), time.time())
        request = _request(append, event_ids)
        retries = Retries()
        while True:
            told = self._database.execute(
                _APPEND, request=request, request_id=append.request_id, request_digest=append.digest
            )
            if all(event_id for event_id, _, _ in told):
                return [event.stored(i, offset) for event, (i, offset, _) in zip(append.events, told, strict=True)]
            current = {event.aggregate_id: row[2] for event, row in zip(append.events, told, strict=True)}
            if conflict := append.conflict(current.__getitem__):
                raise conflict
            retries.pause("what the request builds on was stored only after it was missed, every time")

    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        events, more = self._page(_AGGREGATE_PAGE, limit, aggregate_id=aggregate_id, from_version=from_version)
        return AggregatePage(events, events[-1].aggregate_version + 1 if more else None)

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        transaction_id, position = _place(after)
        events, more = self._page(_LOG_PAGE, limit, transaction_id=transaction_id, position=position)
        return LogPage(events, events[-1].offset if events else after, more)

    def _page(self, sql: str, limit: int, **parameters: str | int) -> tuple[list[StoredEvent], bool]:
        """At most `limit` events, fewer if the result would be too large, and whether there are more."""
        rows = self._database.execute(sql, wanted=limit + 1, result_bytes=_RESULT_BYTES, **parameters)
        events = [_event(row) for row in rows[:limit]]
        return events, bool(rows) and rows[0][-1] > len(events)


def _request(append: Append, event_ids: Sequence[str]) -> str:
    events = [{**event.to_wire(), "eventId": i} for event, i in zip(append.events, event_ids, strict=True)]
    return json.dumps(events, ensure_ascii=False, separators=(",", ":"))


def _event(row: Row) -> StoredEvent:
    aggregate_id, aggregate_version, event_type, event_version, metadata, event_id, offset, _ = row
    return StoredEvent(
        aggregate_id, aggregate_version, event_type, event_version, json.loads(metadata), event_id, offset
    )


def _place(after: str | None) -> tuple[int, int]:
    """The transaction and position behind which to read."""
    if after is None:
        return 0, 0
    if not (place := _OFFSET.fullmatch(after)):
        raise offsets.refusal()
    return int(place[1]), int(place[2])

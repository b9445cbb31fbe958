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
from collections.abc import Callable, Mapping, Sequence

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from botocore.exceptions import ClientError

from lambdas.eventstore import ksuids, offsets
from lambdas.eventstore.contract import AggregatePage, Append, EventStore, LogPage
from lambdas.eventstore.errors import InvalidRequest
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.retry import OutOfTime, Retries

from . import data_api
from .data_api import Database, Row

_APPEND = """
SELECT event_id, "offset", current_version
FROM append_events(CAST(:request AS json), CAST(:request_id AS text), CAST(:request_digest AS text))
"""
_AGGREGATE_PAGE = "SELECT * FROM aggregate_page(:aggregate_id, :from_version, :wanted, :result_bytes)"
_LOG_PAGE = "SELECT * FROM read_log(:transaction_id, :position, :wanted, :result_bytes)"

_RESULT_BYTES = 1_000_000
"""Of a page, as the Data API counts; its limit is 1 MiB. As JSON with all non-ASCII characters escaped that is 3 MB at
most, which a Lambda may answer with."""

_GONE = "OR001"
"""The SQLState of read_log for an offset that no event has or ever will have."""

_OFFSET = re.compile(r"(0|[1-9][0-9]{0,17})-(0|[1-9][0-9]{0,17})", re.ASCII)


def from_environment(environ: Mapping[str, str]) -> AuroraEventStore:
    """The store that the Lambda's environment describes: CLUSTER_ARN, SECRET_ARN, DATABASE.

    Where it names POWERTOOLS_METRICS_NAMESPACE and POWERTOOLS_SERVICE_NAME, as a Lambda's does, how long readers
    wait for open transactions is the metric UnsettledSeconds.
    """
    namespace, service = (environ.get(f"POWERTOOLS_{name}") for name in ("METRICS_NAMESPACE", "SERVICE_NAME"))

    def unsettled(seconds: float) -> None:
        if namespace and service:
            with single_metric("UnsettledSeconds", MetricUnit.Seconds, seconds, namespace=namespace) as metric:
                metric.add_dimension("service", service)

    return AuroraEventStore(data_api.from_environment(environ), unsettled)


class AuroraEventStore(EventStore):
    """On a database with all migrations.

    `unsettled` hears of each page at whose end a reader waits for an open transaction: for how many seconds the oldest
    event behind it has been stored. Where nobody reads nobody waits, so a paused database is left alone.
    """

    def __init__(self, database: Database, unsettled: Callable[[float], None] = lambda _: None) -> None:
        self._database = database
        self._unsettled = unsettled

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        # The ids stay the same over all attempts, so that one which took effect unseen is recognised by the next.
        event_ids = ksuids.issue(len(append.events), time.time())
        request = _request(append, event_ids)
        retries = Retries()
        while True:
            told = self._append(append, request)
            if all(event_id for event_id, _, _ in told):
                return [event.stored(i, offset) for event, (i, offset, _) in zip(append.events, told, strict=True)]
            current = {event.aggregate_id: row[2] for event, row in zip(append.events, told, strict=True)}
            if conflict := append.conflict(current.__getitem__):
                raise conflict
            retries.pause("what the request builds on was stored only after it was missed, every time")

    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        rows = self._rows(_AGGREGATE_PAGE, limit, aggregate_id=aggregate_id, from_version=from_version)
        events, more = _page(rows, limit)
        return AggregatePage(events, events[-1].aggregate_version + 1 if more else None)

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        transaction_id, position = _place(after)
        try:
            rows = self._rows(_LOG_PAGE, limit, transaction_id=transaction_id, position=position)
        except ClientError as error:
            if data_api.sql_state(error) != _GONE:
                raise
            raise _gone() from None
        if rows and rows[-1][0] is None:
            oldest_unsettled = rows.pop()[5]
            self._unsettled(time.time() - ksuids.seconds_of(oldest_unsettled))
        events, more = _page(rows, limit)
        return LogPage(events, events[-1].offset if events else after, more)

    def _append(self, append: Append, request: str) -> list[Row]:
        try:
            return self._database.execute(
                _APPEND, request=request, request_id=append.request_id, request_digest=append.digest
            )
        except OutOfTime as error:
            raise OutOfTime(
                f"{error}; only a retry with the same requestId tells whether anything was stored"
            ) from error

    def _rows(self, sql: str, limit: int, **parameters: str | int) -> list[Row]:
        """One more than the page holds, if there are more; fewer if the result would be too large."""
        return self._database.execute(sql, wanted=limit + 1, result_bytes=_RESULT_BYTES, **parameters)


def _page(rows: Sequence[Row], limit: int) -> tuple[list[StoredEvent], bool]:
    """At most `limit` events, and whether there are more."""
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


def _gone() -> InvalidRequest:
    return InvalidRequest(
        "/after",
        "is not an offset of this store any more: the store was restored to an earlier moment, or this is another one. "
        "Read from the start, and rebuild what was made of the events before",
    )

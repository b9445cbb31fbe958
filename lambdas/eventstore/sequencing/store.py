"""The three operations on two tables: appends go to the events table, and a sequencer behind it writes the log.

Guarantees: an aggregate's events are strongly consistent; all events have one total order with dense offsets, and none
is ever late. Costs, for an item of up to 1 KB: 1 WRU in 1 request for a first event, 1 WRU + 1 RRU in 2 requests for
a later one, and what the sequencer takes: 1 WRU for each aggregate of a batch, and 1 WRU for each KB of its events,
compressed. Fails: while the sequencer stands still, events can be stored and read by aggregate, and do not show in
`get_all_events`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdas.eventstore import aws
from lambdas.eventstore.contract import AggregatePage, Append, EventStore, LogPage
from lambdas.eventstore.dynamodb.appends import append_events
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.sequencing.log import Log


def from_environment(environ: Mapping[str, str]) -> SequencedEventStore:
    """The store that the Lambda's environment describes: TABLE, of the events, and LOG_TABLE."""
    return SequencedEventStore(aws.client("dynamodb"), environ["TABLE"], environ["LOG_TABLE"])


class SequencedEventStore(EventStore):
    """`events` is keyed (aggregateId, aggregateVersion), `log` (part, firstPosition)."""

    def __init__(self, client: Any, events: str, log: str) -> None:
        self._events = EventsTable(client, events)
        self._log = Log(client, log)

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        return append_events(self._events, append)

    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        return self._events.page(aggregate_id, from_version, limit)

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        return self._log.read(after, limit)

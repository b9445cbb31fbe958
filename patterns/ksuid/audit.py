"""Compares the table with its index of all events, as readers see it; there is nothing to repair from another place.

Versions count without holes, ids rise with them, and each event is in a shard that readers know. Costs: 1 read unit for
each 4 KB of the table, and half a unit for each 4 KB of the index.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from lambdas.eventstore import aws, ksuids
from lambdas.eventstore.audits import Difference, Environ, Tell
from lambdas.eventstore.dynamodb.audit import NOT_STORED, Entry, Index, Remedies, scan
from lambdas.eventstore.dynamodb.items import Item, key_of, to_attribute
from lambdas.eventstore.dynamodb.reads import query_items

from .store import INDEX, from_environment

_RESTORE = "restore the table to a moment before that (make restore-drill)"
_REMEDIES = Remedies(
    lost_event="audit again; if it stays, restore the table, which makes its index anew (make restore-drill)",
    lost_entry=(
        "readers of all events never see it. Its attribute TYPE names no shard that readers know: deploy with at least"
        " as many shards as ever before, or put the attribute right; or audit again, if the index was slow"
    ),
    hole="put that event back from a backup, or restore the table to another moment, some seconds earlier or later",
)
_PAGE = 1000


def audit(environ: Environ, tell: Tell, settle_seconds: float) -> str:
    """`AuditModule.audit`."""
    client, table = aws.client("dynamodb"), environ["TABLE"]
    settled = ksuids.first_of(time.time() - settle_seconds)
    index, store = Index(tell), from_environment(environ)
    index.add_stored(scan(client, table), settled, read=store.event)
    # Later than the table: what was there has had the time to get into the index, and what was not is no difference.
    for shard in store.all_shards():
        index.add_ordered(_entries(client, table, shard))
    index.sql.execute(
        f"DELETE FROM ordered WHERE place >= ? AND place IN (SELECT place FROM ({NOT_STORED}))", (settled,)
    )
    index.refuse_contradictions(_RESTORE)
    if falling := index.first(
        """SELECT later.aggregate, later.version FROM stored later JOIN stored earlier
        ON earlier.aggregate = later.aggregate AND earlier.version = later.version - 1
        WHERE earlier.event_id >= later.event_id LIMIT 1"""
    ):
        raise Difference(
            f"version {falling[1]} of aggregate {falling[0]!r} has a lower id than the version before it: {_RESTORE}"
        )
    index.refuse_what_one_place_lacks(_REMEDIES)
    return index.summary()


def _entries(client: Any, table: str, shard: str) -> Iterator[Entry]:
    query = {
        "TableName": table,
        "IndexName": INDEX,
        "KeyConditionExpression": "#type = :shard",
        "ExpressionAttributeNames": {"#type": "TYPE"},
        "ExpressionAttributeValues": {":shard": to_attribute(shard)},
        "ProjectionExpression": "aggregateId, aggregateVersion, eventId",
    }
    for item in query_items(client, query, _PAGE):
        yield _id(item), *key_of(item), _id(item), None


def _id(item: Item) -> str:
    return str(item["eventId"]["S"])

"""Reads all events in the order of aggregates and versions, through the Data API, a page at a time.

Versions count without holes, the order of all events follows them, and no event is held back from readers: neither by
ids to come, after a restore, nor by a transaction that has been open for long. There is one table: nothing to repair
from another place. A restore is made by the module, from a backup of the cluster. Costs: 1 call for each 1,000 events.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from lambdas.eventstore import ksuids
from lambdas.eventstore.audits import Difference, Environ, Tell

from . import data_api
from .data_api import Database

_RESTORE = "nothing of the store's own does that. Restore the cluster to a moment before it (make restore-drill)"
_PAGE = 1000
"""Rows of four short values: far from the megabyte that an answer may have."""

_NEXT = f"""
SELECT aggregate_id, aggregate_version, transaction_id, position FROM events
WHERE (aggregate_id, aggregate_version) > (:aggregate, CAST(:version AS bigint))
ORDER BY aggregate_id, aggregate_version LIMIT {_PAGE}
"""
_HELD = "SELECT event_id FROM events WHERE transaction_id >= settled() ORDER BY transaction_id, position LIMIT 1"
_HOMES = """
SELECT kept_transaction || '-' || kept_position, since::text FROM homes WHERE first_transaction > 0 ORDER BY since
"""


def audit(environ: Environ, tell: Tell, settle_seconds: float) -> str:
    """`AuditModule.audit`."""
    database = data_api.from_environment(environ)
    events = aggregates = 0
    last: list[Any] = ["", 0, 0, 0]
    for row in _rows(database):
        aggregate, version, *place = row
        if aggregate != last[0]:
            last, aggregates = [aggregate, 0, 0, 0], aggregates + 1
        if version != last[1] + 1:
            raise Difference(
                f"aggregate {aggregate!r} has version {version}, and not version {last[1] + 1}: {_RESTORE}"
            )
        if place <= last[2:]:
            raise Difference(
                f"version {version} of aggregate {aggregate!r} is in the order of all events before the version before"
                f" it: {_RESTORE}"
            )
        last, events = row, events + 1
        if events % (10 * _PAGE) == 0:
            tell(f"{events} events read")
    tell(f"{events} events read, all")
    if database.execute("SELECT holds_ids_to_come()")[0][0]:
        raise Difference(
            "restored events have transaction ids to come, so that readers do not see them, and appends are refused:"
            " call the function migrate"
        )
    for (held,) in database.execute(_HELD):
        if held < ksuids.first_of(time.time() - settle_seconds):
            raise Difference(
                f"the event {held} and all behind it are held back from readers of all events by an open transaction:"
                " the pattern's README says how to find and end it"
            )
    homes = [
        f"; restored, noted {since}: readers who were beyond {kept} before are refused: rebuild what they made"
        for kept, since in database.execute(_HOMES)
    ]
    return f"{events} events of {aggregates} aggregates{''.join(homes)}"


def restore_variables(environ: Environ, at: str | None, *, keep: bool) -> Mapping[str, str]:
    """`Restores.restore_variables`."""
    source = environ["CLUSTER_ARN"].rpartition(":")[2]
    return {"restore": json.dumps({"cluster": source, "time": at}), "final_snapshot": json.dumps(keep)}


def _rows(database: Database) -> Iterator[list[Any]]:
    aggregate, version = "", 0
    while rows := database.execute(_NEXT, aggregate=aggregate, version=version):
        yield from rows
        aggregate, version = rows[-1][:2]

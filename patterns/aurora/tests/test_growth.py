"""An append and a page cost the same on a short log and on a long one, and use indexes only, statistics or none.

Told by what PostgreSQL counts while it does the work, and by the plans of the pages' own queries.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from testkit.examples import event, history
from testkit.schedules import Scene

from .. import store
from .harness import Harness, Transaction, append

SHORT, LONG = 1_000, 100_000
EVENTS_OF_AN_AGGREGATE = 100
WANTED = 51

Rows = Callable[..., list[list[Any]]]
Work = Callable[[Transaction], object]

FILL = """
INSERT INTO events
SELECT
    n / 10, n, 'aggregate-' || n % :aggregates, n / :aggregates + 1, 'event-' || n, 'FILLER', 1, '{"a": 1}', 300
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
"""
"""Ten events a transaction, of transactions that ended long ago."""


@pytest.fixture
def filled(rows: Rows) -> Callable[..., None]:
    """Fills the store with so many events."""
    # The store's own transactions come behind those, whose numbers may be above any that the server gave.
    rows("CREATE OR REPLACE FUNCTION transaction_base() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1000000::bigint'")

    def fill(length: int, *, analyzed: bool) -> None:
        rows("ALTER TABLE events DISABLE TRIGGER events_are_facts")
        rows("DELETE FROM events")
        for first in range(0, length, 50_000):
            last = min(first + 50_000, length) - 1
            rows(FILL, aggregates=length // EVENTS_OF_AN_AGGREGATE, first=first, last=last)
        if analyzed:
            rows("VACUUM ANALYZE events")

    return fill


def aggregate_page(transaction: Transaction) -> object:
    parameters = {"from_version": 20, "wanted": WANTED, "result_bytes": 1_000_000}
    return transaction.rows(store._AGGREGATE_PAGE, aggregate_id="aggregate-3", **parameters)


def log_page(transaction: Transaction) -> object:
    parameters = {"transaction_id": 50, "position": 505, "wanted": WANTED, "result_bytes": 1_000_000}
    return transaction.rows(store._LOG_PAGE, **parameters)


@pytest.mark.parametrize("analyzed", [True, False], ids=["with statistics", "without"])
def test_the_work_is_the_same_at_any_length_and_goes_by_indexes(
    own: Harness, scene: Scene, filled: Callable[..., None], analyzed: bool
) -> None:
    def appending(*events: dict[str, Any]) -> Work:
        return lambda transaction: append(transaction.store(scene.environment), *events)

    def end_of_log(transaction: Transaction) -> object:
        # Asked by another session, so that it does not count.
        [[last]] = own.rows(scene.environment, "SELECT max(transaction_id) FROM events")
        parameters = {"transaction_id": last, "position": 10**9, "wanted": WANTED, "result_bytes": 1_000_000}
        return transaction.rows(store._LOG_PAGE, **parameters)

    work: dict[str, Work] = {
        "first event": appending(event("new", 1)),
        "later event": appending(event("aggregate-3", EVENTS_OF_AN_AGGREGATE + 1)),
        "many": appending(*(event(f"aggregate-{n}", 101) for n in range(4, 9)), *history("other", 5)),
        "page of an aggregate": aggregate_page,
        "page of the log": log_page,
        "nothing new": end_of_log,
    }
    done: dict[int, dict[str, tuple[int, int]]] = {}
    for length in (SHORT, LONG):
        filled(length, analyzed=analyzed)
        done[length] = {name: counted(own, scene, step) for name, step in work.items()}

    for name, (scans, fetched) in done[LONG].items():
        assert scans == done[SHORT][name][0] == 0, f"{name}: scanned the whole table"
        # The planner may look up an end of the index, once for each of up to two queries.
        assert fetched <= done[SHORT][name][1] + 2, f"{name}: {done}"
    assert done[LONG]["page of an aggregate"][1] in (WANTED, WANTED + 1)
    assert done[LONG]["page of the log"][1] in (WANTED, WANTED + 1)


def counted(own: Harness, scene: Scene, step: Work) -> tuple[int, int]:
    """Scans of the whole table, and rows fetched by an index."""
    transaction = own.open_transaction(scene.environment)
    # The counters begin with what the session did before and has not reported yet.
    counters = "SELECT seq_scan, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'events'"
    [before] = transaction.rows(counters) or [[0, 0]]
    step(transaction)
    [after] = transaction.rows(counters)
    transaction.commit()
    return after[0] - before[0], after[1] - before[1]


@pytest.mark.parametrize(
    ("function", "arguments", "index"),
    [
        ("aggregate_page", ("'aggregate-3'", "20"), "events_aggregate_id_aggregate_version_key"),
        ("log_page", ("50", "505"), "events_pkey"),
    ],
)
def test_a_page_is_read_in_the_order_of_its_index(
    own: Harness,
    scene: Scene,
    filled: Callable[..., None],
    function: str,
    arguments: tuple[str, str],
    index: str,
) -> None:
    filled(LONG, analyzed=True)
    transaction = own.open_transaction(scene.environment)
    [[body, names, settings]] = transaction.rows(
        "SELECT prosrc, array_to_string(proargnames, ','), array_to_string(proconfig, ',') FROM pg_proc"
        f" WHERE proname = '{function}'"
    )
    for setting in settings.split(","):
        transaction.rows(f"SET LOCAL {setting}")
    for name, value in zip(names.split(","), (*arguments, str(WANTED), "1000000"), strict=False):
        body = re.sub(rf"\b{name}\b", value, body)
    plan = json.loads("".join(line for (line,) in transaction.rows(f"EXPLAIN (FORMAT JSON) {body}")))[0]["Plan"]
    transaction.roll_back()

    steps = list(nodes(plan))
    scans = [(step["Node Type"], step["Index Name"]) for step in steps if "Relation Name" in step]
    assert scans == [("Index Scan", index)]
    assert "Sort" not in {step["Node Type"] for step in steps}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)

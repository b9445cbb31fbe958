"""An append and a page cost the same on a short log and on a long one, and use indexes only, statistics or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from patterns.aurora import store
from patterns.aurora.tests.harness import Harness, append
from tests.support.examples import event, history
from tests.support.schedules import Scene

SHORT, LONG = 1_000, 100_000
EVENTS_OF_AN_AGGREGATE = 100

Rows = Callable[..., list[list[Any]]]

FILL = f"""
INSERT INTO events
SELECT
    n / 10, n, 'aggregate-' || n % :aggregates, n / :aggregates + 1, 'event-' || n, 'FILLER', 1, '{{"a": 1}}', 100
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
-- {EVENTS_OF_AN_AGGREGATE} events an aggregate, ten a transaction, of transactions that ended long ago
"""


@pytest.fixture
def settled_rows(own: Harness, scene: Scene, rows: Rows) -> Iterator[Rows]:
    """The store's own transactions come behind the filler's, whose numbers are below any that the server gives."""
    rows("CREATE OR REPLACE FUNCTION transaction_base() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1000000::bigint'")
    return rows


def fill(rows: Rows, length: int, *, analyzed: bool) -> None:
    rows("ALTER TABLE events DISABLE TRIGGER events_are_facts")
    rows("DELETE FROM events")
    for first in range(0, length, 50_000):
        last = min(first + 50_000, length) - 1
        rows(FILL, aggregates=length // EVENTS_OF_AN_AGGREGATE, first=first, last=last)
    if analyzed:
        rows("VACUUM ANALYZE events")


def aggregate_page(rows: Rows) -> dict[str, Any]:
    return explained(rows, store._AGGREGATE_PAGE, aggregate_id="aggregate-3", from_version=20)


def log_page(rows: Rows) -> dict[str, Any]:
    return explained(rows, store._LOG_PAGE, transaction_id=50, position=505)


def end_of_log(rows: Rows) -> dict[str, Any]:
    return explained(rows, store._LOG_PAGE, transaction_id=500_000, position=5_000_000)


def explained(rows: Rows, sql: str, **parameters: str | int) -> dict[str, Any]:
    """The plan of a page of 50 events, with what it did."""
    told = rows(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", wanted=51, row_bytes=200, result_bytes=1_000_000, **parameters)
    plan: dict[str, Any] = json.loads("".join(line for (line,) in told))[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def scans(plan: dict[str, Any]) -> list[tuple[str, str]]:
    return [(node["Node Type"], node.get("Index Name", "")) for node in nodes(plan) if node.get("Relation Name")]


def rows_read(plan: dict[str, Any]) -> int:
    return sum(int(node["Actual Rows"]) for node in nodes(plan) if node.get("Relation Name"))


@pytest.mark.parametrize("analyzed", [True, False], ids=["with statistics", "without"])
def test_pages_use_one_index_and_read_no_more_than_they_show(settled_rows: Rows, analyzed: bool) -> None:
    pages = {
        aggregate_page: "events_aggregate_id_aggregate_version_key",
        log_page: "events_pkey",
        end_of_log: "events_pkey",
    }
    read = {}
    for length in (SHORT, LONG):
        fill(settled_rows, length, analyzed=analyzed)
        for page, index in pages.items():
            plan = page(settled_rows)
            if length == LONG:
                assert scans(plan) == [("Index Scan", index)]
            read[length, page] = rows_read(plan)

    for page, expected in ((aggregate_page, 51), (log_page, 51), (end_of_log, 0)):
        assert read[LONG, page] == read[SHORT, page] == expected


@pytest.mark.parametrize("analyzed", [True, False], ids=["with statistics", "without"])
def test_an_append_uses_indexes_only_and_reads_the_same_at_any_length(
    own: Harness, scene: Scene, settled_rows: Rows, analyzed: bool
) -> None:
    work = {}
    for length in (SHORT, LONG):
        fill(settled_rows, length, analyzed=analyzed)
        requests = {
            "first": [event("new", 1)],
            "later": [event("aggregate-3", EVENTS_OF_AN_AGGREGATE + 1)],
            "many": [event(f"aggregate-{n}", EVENTS_OF_AN_AGGREGATE + 1) for n in range(4, 9)] + history("other", 5),
        }
        for name, request in requests.items():
            work[length, name] = work_of(own, scene, request)

    for (length, name), (table_scans, _) in work.items():
        if length == LONG:
            assert table_scans == 0, f"{name}: scanned the whole table"
    for name in ("first", "later", "many"):
        assert work[LONG, name][1] <= work[SHORT, name][1] + 5, f"{name}: {work}"


def work_of(own: Harness, scene: Scene, request: list[dict[str, Any]]) -> tuple[int, int]:
    """What an append did to the table: scans of all of it, and rows fetched by an index."""
    transaction = own.open_transaction(scene.environment)
    append(transaction.store(scene.environment), *request)
    [[table_scans, fetched]] = transaction.rows(
        "SELECT seq_scan, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'events'"
    )
    transaction.commit()
    return table_scans, fetched

"""An open transaction that holds readers back is told to those who are on call, and found by the README's query."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from testkit.examples import event, new_id
from testkit.schedules import Scene, clock_moved

from .. import store
from .harness import Harness, Transaction

Rows = Callable[..., list[list[Any]]]
README = Path(store.__file__).with_name("README.md")


@pytest.fixture
def held(own: Harness, scene: Scene) -> Iterator[Transaction]:
    """An outsider's transaction that has written, in another database of the cluster."""
    transaction = own.open_transaction(own.deployed)
    transaction.rows("SELECT pg_current_xact_id()::text")
    yield transaction
    transaction.end()


@pytest.fixture
def told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[float]]:
    """The metric's values since it was last asked, as a Lambda of this store writes them to its log."""
    lines: list[str] = []
    monkeypatch.setattr("builtins.print", lambda *texts, **_: lines.extend(texts))
    scene.environment.update(POWERTOOLS_METRICS_NAMESPACE="EventStore", POWERTOOLS_SERVICE_NAME="orders")

    def values() -> list[float]:
        metrics = [json.loads(line) for line in lines]
        lines.clear()
        for metric in metrics:
            assert metric["service"] == "orders"
            [directive] = metric["_aws"]["CloudWatchMetrics"]
            assert (directive["Namespace"], directive["Dimensions"]) == ("EventStore", [["service"]])
        return [value for metric in metrics for value in metric["UnsettledSeconds"]]

    return values


def test_a_reader_who_waits_for_an_open_transaction_tells_for_how_long(
    scene: Scene, held: Transaction, told: Callable[[], list[float]]
) -> None:
    with clock_moved(-90):
        scene.open().store(event(new_id(), 1))
    scene.open().store(event(new_id(), 1))

    assert scene.open().tail(None)[0] == []

    assert [80 < seconds < 100 for seconds in told()] == [True]


def test_a_reader_at_the_end_of_what_has_settled_tells_of_the_oldest_event_behind_it(
    own: Harness, scene: Scene, told: Callable[[], list[float]]
) -> None:
    with clock_moved(-500):
        scene.open().store(event("settled", 1))
    held = own.open_transaction(own.deployed)
    held.rows("SELECT pg_current_xact_id()::text")
    with clock_moved(-90):
        scene.open().store(event("unsettled", 1))
    page = scene.open().page(None, 1)
    held.end()

    assert [event["aggregateId"] for event in page["events"]] == ["settled"]
    assert [80 < seconds < 100 for seconds in told()] == [True]


def test_a_reader_who_waits_for_nobody_tells_nothing(scene: Scene, told: Callable[[], list[float]]) -> None:
    scene.open().store(event(new_id(), 1))

    assert len(scene.log()) == 1
    assert told() == []


@pytest.fixture
def query() -> str:
    """The README's, by which a person finds who holds readers back."""
    [found] = re.findall(r"```sql\n(.*?pg_prepared_xacts.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    return str(found)


def test_the_query_of_the_readme_finds_an_open_transaction_and_how_long_it_has_been(
    rows: Rows, held: Transaction, query: str
) -> None:
    [[transaction]] = held.rows("SELECT pg_current_xact_id()::text")

    [[holder, since, found, *_]] = [row for row in rows(query) if row[2] == transaction]

    assert (holder.split()[0], found) == ("session", transaction)
    assert since


def test_the_query_of_the_readme_finds_a_prepared_transaction_which_belongs_to_no_session(
    own: Harness, rows: Rows, held: Transaction, query: str
) -> None:
    [[transaction]] = held.rows("SELECT pg_current_xact_id()::text")
    held.rows("PREPARE TRANSACTION 'forgotten'")
    held.end()
    try:
        assert [row[0] for row in rows(query) if row[2] == transaction] == ["prepared forgotten"]
    finally:
        own.rows(dict(own.deployed), "ROLLBACK PREPARED 'forgotten'")

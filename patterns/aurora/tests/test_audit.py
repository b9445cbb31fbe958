"""What the audit says of events that nobody but a superuser can have changed, and of events that are held back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.eventstore.audits import Difference
from testkit.examples import event, history
from testkit.schedules import Scene
from testkit.session import Session

from .. import audit as audited
from .conftest import PATTERN
from .harness import Harness

Rows = Callable[..., list[list[Any]]]


@pytest.fixture
def stored(scene: Scene) -> Scene:
    scene.open().store(*history("ann", 3), event("josh", 1))
    scene.open().store(event("ann", 4))
    return scene


def audit(scene: Scene, settle_seconds: float = 60) -> str:
    return audited.audit(scene.environment, lambda line: None, settle_seconds)


def as_superuser(rows: Rows, sql: str) -> None:
    rows("ALTER TABLE events DISABLE TRIGGER events_are_facts")
    rows(sql)


def test_a_store_in_order_is_said_to_be_page_by_page(stored: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    assert audit(stored) == "5 events of 2 aggregates"
    monkeypatch.setattr(audited, "_NEXT", audited._NEXT.replace("LIMIT 1000", "LIMIT 2"))
    assert audit(stored) == "5 events of 2 aggregates"


def test_it_takes_no_more_rights_in_the_database_than_those_of_readers(session: Session, aws: None) -> None:
    readers = session.deployment(PATTERN.name)["settings"]["get_all_events"]
    assert "aggregates" in audited.audit(readers, lambda line: None, 60)


def test_a_version_that_is_missing_is_named(stored: Scene, rows: Rows) -> None:
    as_superuser(rows, "DELETE FROM events WHERE aggregate_version = 2")
    with pytest.raises(Difference, match="aggregate 'ann' has version 3, and not version 2"):
        audit(stored)


def test_an_order_against_the_versions_is_named(stored: Scene, rows: Rows) -> None:
    as_superuser(rows, "UPDATE events SET transaction_id = 1 WHERE aggregate_version = 4")
    with pytest.raises(Difference, match="version 4 of aggregate 'ann' is in the order of all events before"):
        audit(stored)


def test_ids_to_come_are_named_with_the_remedy(stored: Scene, rows: Rows) -> None:
    as_superuser(rows, "UPDATE events SET transaction_id = 5000000000000 WHERE aggregate_version = 4")
    with pytest.raises(Difference, match="have transaction ids to come"):
        audit(stored)


def test_events_that_an_open_transaction_holds_back_are_named_once_they_are_old(own: Harness, stored: Scene) -> None:
    older = own.open_transaction(stored.environment)
    older.rows("SELECT pg_current_xact_id()::text")
    try:
        stored.open().store(event("eve", 1))
        assert audit(stored) == "6 events of 3 aggregates"
        with pytest.raises(Difference, match="held back from readers of all events by an open transaction"):
            audit(stored, settle_seconds=-1)
    finally:
        older.roll_back()


def test_a_store_that_was_restored_says_so(stored: Scene, rows: Rows) -> None:
    rows("SELECT continue_after_restore('first', false)")
    rows("SELECT continue_after_restore('second', true)")
    assert "; restored, noted 20" in audit(stored)

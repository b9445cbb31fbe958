"""Events of another cluster, whose transaction ids were higher, brought by a dump: offsets stay as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from testkit.examples import event, versions
from testkit.schedules import Scene

Rows = Callable[..., list[list[Any]]]
ELSEWHERE = 5_000_000_000_000


@pytest.fixture
def restored(scene: Scene, rows: Rows) -> Scene:
    """Three events of one aggregate, in transactions that this server will not reach for long."""
    for version in (1, 2, 3):
        rows(
            "INSERT INTO events SELECT :transaction, nextval('event_positions'), 'moved', :version,"
            " rpad('event' || :version, 27, '0'), 'T', 1, '{}', 100",
            transaction=ELSEWHERE + version,
            version=version,
        )
    return scene


def test_without_further_ado_restored_events_would_be_hidden_and_new_ones_come_before(restored: Scene) -> None:
    restored.open().store(event("new", 1))

    events = restored.open().tail(None)[0]

    assert [event["aggregateId"] for event in events] == ["new"]


def test_restored_events_show_and_new_ones_come_behind_them(restored: Scene, rows: Rows) -> None:
    rows("SELECT continue_after_restore()")
    restored.open().store(event("moved", 4))
    restored.open().store(event("moved", 5), event("new", 1))

    events = restored.log()

    assert [event["aggregateId"] for event in events] == ["moved"] * 5 + ["new"]
    assert versions(events) == [1, 2, 3, 4, 5, 1]


def test_an_offset_from_before_the_restore_goes_on_where_it_was(restored: Scene, rows: Rows) -> None:
    [[offset]] = rows("SELECT transaction_id || '-' || position FROM events WHERE aggregate_version = 2")
    rows("SELECT continue_after_restore()")
    restored.open().store(event("moved", 4))

    assert versions(restored.log(offset)) == [3, 4]


def test_doing_it_again_changes_nothing(restored: Scene, rows: Rows) -> None:
    [[base]] = rows("SELECT continue_after_restore()")
    restored.open().store(event("moved", 4))

    assert base > 0
    assert rows("SELECT continue_after_restore()") == [[base]]


def test_where_nothing_was_restored_nothing_changes_even_while_a_transaction_is_open(
    scene: Scene, rows: Rows, own: Any
) -> None:
    assert rows("SELECT continue_after_restore()") == [[0]]
    older = own.open_transaction(scene.environment)
    older.rows("SELECT pg_current_xact_id()::text")
    scene.open().store(event("new", 1))

    assert rows("SELECT continue_after_restore()") == [[0]]
    older.roll_back()

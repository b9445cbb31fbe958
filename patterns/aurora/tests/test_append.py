"""append_events, held between any two of its looks at the table, and what it writes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from testkit.examples import event, new_id, versions
from testkit.harness import eventually
from testkit.schedules import Scene
from testkit.subjects import InProcess

from .harness import Harness
from .test_late_commits import waiting

Rows = Callable[..., list[list[Any]]]

HOLD = """
CREATE OR REPLACE FUNCTION requested_events(request json)
RETURNS TABLE (
    number bigint, aggregate_id text, aggregate_version bigint, event_id text, event_type text, event_version bigint,
    metadata json
)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF nextval('looks') = {number} THEN
        PERFORM pg_advisory_lock_shared(7);
        PERFORM pg_advisory_unlock_shared(7);
    END IF;
    RETURN QUERY
        SELECT
            requested.number, "aggregateId", "aggregateVersion", "eventId", "eventType", "eventVersion", field.metadata
        FROM json_array_elements(request) WITH ORDINALITY AS requested (event, number)
        CROSS JOIN json_to_record(event) AS field (
            "aggregateId" text, "aggregateVersion" bigint, "eventId" text, "eventType" text, "eventVersion" bigint,
            metadata json
        );
END;
$$
"""
"""The function, whose look at the request with this number waits for lock 7 once its statement has begun."""

LOOKS = 6
"""As many as append_events may take for a request of one event; more are never reached."""


def test_a_request_is_never_refused_for_its_own_events_whenever_another_attempt_of_it_commits(
    own: Harness, scene: Scene, rows: Rows
) -> None:
    """One attempt is held at each of its looks in turn. Meanwhile what it builds on is stored, and another attempt."""
    held_at = []
    for number in range(1, LOOKS + 1):
        aggregate, answers = new_id(), list[dict[str, Any]]()
        request = {"events": [event(aggregate, 2)], "requestId": aggregate}
        rows("DROP SEQUENCE IF EXISTS looks")
        rows("CREATE SEQUENCE looks")
        rows(HOLD.format(number=number))
        lock = own.open_transaction(scene.environment)
        lock.rows("SELECT pg_advisory_xact_lock(7)")
        store, other = scene.open(), scene.open()
        attempt = threading.Thread(target=ask, args=(store, request, answers))
        attempt.start()
        await_a_hold_or_the_end(scene, attempt)
        if attempt.is_alive():
            held_at.append(number)
            other.store(event(aggregate, 1))
            stored = other.answer("store_events", request)
        lock.commit()
        attempt.join(20)

        if number in held_at:
            [answer] = answers
            assert "events" in stored
            # Refused for what was there when it looked, or answered with what is stored.
            refused_before = "error" in answer and answer["error"]["currentVersion"] == 0
            assert refused_before or answer == stored, (number, answer)
            assert versions(scene.open().aggregate(aggregate)) == [1, 2]

    assert held_at
    assert held_at == list(range(1, len(held_at) + 1))
    assert len(held_at) < LOOKS, "raise LOOKS: there are more"


def await_a_hold_or_the_end(scene: Scene, attempt: threading.Thread) -> None:
    eventually(lambda: not attempt.is_alive() or waiting(scene) == 1, 10, "the attempt to wait or to end")


def ask(store: InProcess, request: dict[str, Any], answers: list[dict[str, Any]]) -> None:
    answers.append(store.answer("store_events", request))


@pytest.mark.parametrize("events", [1, 20])
def test_a_stale_writers_conflict_writes_nothing(scene: Scene, rows: Rows, events: int) -> None:
    """No events that are rolled back, no position, and no transaction id."""
    aggregate = new_id()
    store = scene.open()
    stale = [event(aggregate, version, text="x" * 20_000) for version in range(1, events + 1)]
    store.store(event(aggregate, 1))
    written = "SELECT pg_current_wal_insert_lsn()::text, last_value FROM event_positions"
    [[before, position]] = rows(written)

    for _ in range(20):
        assert store.try_to_store(*stale)["error"]["currentVersion"] == 1

    [[after, position_after]] = rows(written)
    [[wal]] = rows(f"SELECT pg_wal_lsn_diff('{after}', '{before}')::bigint")
    assert position_after == position
    assert wal < 20_000, f"{wal} bytes"

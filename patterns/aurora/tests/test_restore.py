"""Events of another cluster, or of an earlier moment of this one: offsets stay what they were, or are refused."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from testkit.examples import event, versions
from testkit.schedules import Scene

from .harness import Harness

Rows = Callable[..., list[list[Any]]]
ELSEWHERE = 5_000_000_000_000
CONTINUE = "SELECT continue_after_restore('this cluster', false)"


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


def test_an_append_before_the_ids_are_raised_is_refused_and_stores_nothing(restored: Scene, rows: Rows) -> None:
    """It would come before the restored events for good: readers would pass those unseen."""
    for refused in (event("new", 1), event("moved", 4)):
        with pytest.raises(
            ClientError, match="restored events have transaction ids to come: call the function migrate"
        ):
            restored.open().store(refused)

    assert rows("SELECT count(*) FROM events") == [[3]]


def test_an_append_looks_for_ids_to_come_in_an_index(own: Harness, scene: Scene) -> None:
    scene.open().store(event("one", 1))
    transaction = own.open_transaction(scene.environment)
    transaction.rows("SET LOCAL enable_seqscan = off")
    [[body]] = transaction.rows("SELECT prosrc FROM pg_proc WHERE proname = 'holds_ids_to_come'")
    plan = "".join(line for (line,) in transaction.rows(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {body}"))
    transaction.roll_back()

    assert "events_pkey" in plan
    assert json.loads(plan)[0]["Plan"]["Shared Hit Blocks"] <= 3


def test_restored_events_show_and_new_ones_come_behind_them(restored: Scene, rows: Rows) -> None:
    rows(CONTINUE)
    restored.open().store(event("moved", 4))
    restored.open().store(event("moved", 5), event("new", 1))

    events = restored.log()

    assert [event["aggregateId"] for event in events] == ["moved"] * 5 + ["new"]
    assert versions(events) == [1, 2, 3, 4, 5, 1]


def test_an_offset_from_before_the_restore_goes_on_where_it_was(restored: Scene, rows: Rows) -> None:
    [[offset]] = rows("SELECT transaction_id || '-' || position FROM events WHERE aggregate_version = 2")
    rows(CONTINUE)
    restored.open().store(event("moved", 4))

    assert versions(restored.log(offset)) == [3, 4]


def test_doing_it_again_changes_nothing(restored: Scene, rows: Rows) -> None:
    [[base]] = rows(CONTINUE)
    restored.open().store(event("moved", 4))

    assert base > 0
    assert rows(CONTINUE) == [[base]]


def test_where_nothing_was_restored_nothing_changes_even_while_a_transaction_is_open(
    scene: Scene, rows: Rows, own: Any
) -> None:
    assert rows(CONTINUE) == [[0]]
    older = own.open_transaction(scene.environment)
    older.rows("SELECT pg_current_xact_id()::text")
    scene.open().store(event("new", 1))

    assert rows(CONTINUE) == [[0]]
    older.roll_back()


# A backup of the store is a copy of its database; the ids of what is stored after it are raised by hand, as those of
# the cluster that goes on are above those of the one that is restored.

ORIGINAL, RESTORED, AGAIN = "cluster-1", "cluster-2", "cluster-3"


class Store(Scene):
    """A database that can be copied."""

    def move_in(self, cluster: str, *, restored: bool = False) -> int:
        """As the function migrate does."""
        [[base]] = self.rows(f"SELECT continue_after_restore('{cluster}', {restored})")
        return int(base)

    def rows(self, sql: str) -> list[list[Any]]:
        assert isinstance(self.harness, Harness)
        return self.harness.rows(self.environment, sql)


@pytest.fixture
def backed_up(own: Harness, scene: Scene) -> Iterator[Callable[[], Store]]:
    """Has events 1 and 2 of an aggregate before the backup, 3 and 4 after it; each call restores the backup."""
    store = Store(own, scene.environment, scene.watch, scene._sheet)
    store.move_in(ORIGINAL)
    for version in (1, 2):
        store.open().store(event("kept", version))
    copies = [copy(store)]
    store.rows(
        "CREATE OR REPLACE FUNCTION transaction_base() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 1000000::bigint'"
    )

    def restore() -> Store:
        copies.append(copy(copies[0]))
        return copies[-1]

    restore.original = store  # type: ignore[attr-defined]
    yield restore
    for each in copies:
        own.discard(each.environment)


def copy(store: Store) -> Store:
    assert isinstance(store.harness, Harness)
    environment = {**store.environment, "DATABASE": f"fresh_{uuid4().hex}"}
    sql = f"CREATE DATABASE {environment['DATABASE']} TEMPLATE {store.environment['DATABASE']}"
    deadline = time.monotonic() + 20
    while True:
        try:
            store.harness.rows(dict(store.harness.deployed), sql)
            return Store(store.harness, environment, store.watch, store._sheet)
        except ClientError as error:  # idle sessions of the Data API
            if "being accessed by other users" not in str(error) or time.monotonic() > deadline:
                raise
            end_sessions(store)


def end_sessions(store: Store) -> None:
    assert isinstance(store.harness, Harness)
    name = store.environment["DATABASE"]
    # Those of this user: PostgreSQL's own, such as autovacuum, are not ours to end, and CREATE DATABASE waits for them.
    store.harness.rows(
        dict(store.harness.deployed),
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND usename = current_user",
    )


def test_after_a_restore_to_an_earlier_moment_no_offset_is_given_out_again(backed_up: Any) -> None:
    original, restored = backed_up.original, backed_up()
    [ahead] = original.open().store(event("lost", 1))
    restored.move_in(RESTORED)
    [new] = restored.open().store(event("new", 1))

    assert [event["aggregateId"] for event in restored.log()] == ["kept", "kept", "new"]
    assert int(new["offset"].split("-")[0]) > int(ahead["offset"].split("-")[0])


def test_a_reader_who_was_ahead_of_the_backup_is_refused_and_told_to_rebuild(backed_up: Any) -> None:
    original, restored = backed_up.original, backed_up()
    [ahead] = original.open().store(event("lost", 1))
    restored.move_in(RESTORED)
    restored.open().store(event("new", 1))

    answer = restored.open().answer("get_all_events", {"after": ahead["offset"]})

    assert (answer["error"]["code"], answer["error"]["path"]) == ("InvalidRequest", "/after")
    assert "was restored to an earlier moment" in answer["error"]["message"]
    assert "rebuild" in answer["error"]["message"]


def test_a_reader_who_was_not_ahead_of_the_backup_goes_on(backed_up: Any) -> None:
    restored = backed_up()
    first, second = (event["offset"] for event in restored.log())
    restored.move_in(RESTORED)
    restored.open().store(event("kept", 3))

    assert versions(restored.log(first)) == [2, 3]
    assert versions(restored.log(second)) == [3]
    assert versions(restored.log()) == [1, 2, 3]


def test_a_backup_that_is_restored_again_gives_out_no_offset_of_the_first_restore(backed_up: Any) -> None:
    first, second = backed_up(), backed_up()
    bases = [first.move_in(RESTORED)]
    [abandoned] = first.open().store(event("lost", 1))
    bases.append(second.move_in(AGAIN))
    [new] = second.open().store(event("new", 1))

    assert bases == sorted(set(bases))
    assert int(new["offset"].split("-")[0]) > int(abandoned["offset"].split("-")[0])
    assert second.open().answer("get_all_events", {"after": abandoned["offset"]})["error"]["path"] == "/after"


def test_a_backup_from_before_clusters_were_recorded_is_known_by_the_word_of_who_restores_it(backed_up: Any) -> None:
    restored = backed_up()
    restored.rows("DELETE FROM homes")

    assert restored.move_in(RESTORED, restored=True) > 0
    assert restored.rows("SELECT cluster FROM homes") == [[RESTORED]]


def test_the_same_cluster_is_never_a_restore(backed_up: Any) -> None:
    store = backed_up.original
    [ahead] = store.open().store(event("kept", 3))

    assert [store.move_in(ORIGINAL, restored=True) for _ in range(2)] == [1_000_000] * 2
    assert versions(store.log(ahead["offset"])) == []


def test_an_offset_that_the_store_has_not_come_to_is_refused(scene: Scene, rows: Rows) -> None:
    scene.open().store(event("one", 1))
    [[to_come]] = rows("SELECT transaction_base() + pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000000")

    answer = scene.open().answer("get_all_events", {"after": f"{to_come}-1"})

    assert (answer["error"]["code"], answer["error"]["path"]) == ("InvalidRequest", "/after")

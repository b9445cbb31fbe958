"""Transactions that commit late: readers neither miss them nor come upon later ones first, as naive readers do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from testkit.aws_calls import Call, Disturbance, answer
from testkit.examples import Event, event, new_id
from testkit.harness import eventually
from testkit.schedules import Scene
from testkit.subjects import InProcess

from .harness import Harness, Transaction, append

Rows = Callable[..., list[list[Any]]]
Reader = Callable[[], list[str]]
"""Reads on from where it was; the aggregates of the events that are new to it."""


@pytest.fixture
def held(own: Harness, scene: Scene) -> Iterator[Transaction]:
    """A transaction that is open; what the test leaves open is rolled back."""
    with held_open(own, scene) as transaction:
        yield transaction


@contextmanager
def held_open(own: Harness, scene: Scene) -> Iterator[Transaction]:
    transaction = own.open_transaction(scene.environment)
    try:
        yield transaction
    finally:
        transaction.end()


def the_stores_reader(scene: Scene, _rows: Rows) -> Reader:
    place: list[str | None] = [None]

    def read() -> list[str]:
        events, place[0] = scene.open().tail(place[0])
        return [event["aggregateId"] for event in events]

    return read


def reader_by_position(_scene: Scene, rows: Rows) -> Reader:
    """What most event stores on PostgreSQL began with."""
    place = [0]

    def read() -> list[str]:
        sql = "SELECT position, aggregate_id FROM events WHERE position > :place ORDER BY position"
        found = rows(sql, place=place[0])
        place[0] = found[-1][0] if found else place[0]
        return [aggregate for _, aggregate in found]

    return read


def reader_without_horizon(_scene: Scene, rows: Rows) -> Reader:
    """In the right order, but of all that is visible."""
    place = [0]

    def read() -> list[str]:
        sql = (
            "SELECT transaction_id, aggregate_id FROM events WHERE transaction_id > :place"
            " ORDER BY transaction_id, position"
        )
        found = rows(sql, place=place[0])
        place[0] = found[-1][0] if found else place[0]
        return [aggregate for _, aggregate in found]

    return read


def seen_over_a_late_commit(scene: Scene, held: Transaction, reader: Reader) -> list[list[str]]:
    """What a reader sees before, while and after a transaction stays open that others overtake."""
    before, slow, quick = "before", "slow", "quick"
    scene.open().store(event(before, 1))
    seen = [reader()]
    append(held.store(scene.environment), event(slow, 1))
    scene.open().store(event(quick, 1))
    seen.append(reader())
    held.commit()
    seen.append(reader())
    return seen


def test_a_reader_waits_for_an_open_transaction_and_then_goes_on_in_order(
    scene: Scene, held: Transaction, rows: Rows
) -> None:
    seen = seen_over_a_late_commit(scene, held, the_stores_reader(scene, rows))

    assert seen == [["before"], [], ["slow", "quick"]]


@pytest.mark.parametrize("naive", [reader_by_position, reader_without_horizon])
def test_a_naive_reader_never_sees_the_event_that_was_committed_late(
    scene: Scene, held: Transaction, rows: Rows, naive: Callable[[Scene, Rows], Reader]
) -> None:
    seen = seen_over_a_late_commit(scene, held, naive(scene, rows))

    assert seen == [["before"], ["quick"], []]


def test_a_reader_goes_on_when_the_open_transaction_is_rolled_back(scene: Scene, held: Transaction) -> None:
    append(held.store(scene.environment), event("slow", 1))
    scene.open().store(event("quick", 1))
    assert scene.open().tail(None)[0] == []

    held.roll_back()

    assert [event["aggregateId"] for event in scene.open().tail(None)[0]] == ["quick"]


def test_of_many_open_transactions_the_oldest_counts(own: Harness, scene: Scene) -> None:
    with held_open(own, scene) as first, held_open(own, scene) as second:
        append(first.store(scene.environment), event("first", 1))
        scene.open().store(event("between", 1))
        append(second.store(scene.environment), event("second", 1))
        second.commit()
        assert scene.open().tail(None)[0] == []
        first.commit()

    assert [event["aggregateId"] for event in scene.open().tail(None)[0]] == ["first", "between", "second"]


def test_an_aggregate_is_read_at_once_whatever_is_open(scene: Scene, held: Transaction) -> None:
    append(held.store(scene.environment), event("slow", 1))
    scene.open().store(event("quick", 1))

    assert len(scene.open().aggregate("quick")) == 1
    assert scene.open().aggregate("slow") == []


def test_a_transaction_that_only_reads_holds_nobody_back(scene: Scene, held: Transaction) -> None:
    held.rows("SELECT count(*) FROM events")
    scene.open().store(event("quick", 1))

    assert len(scene.open().tail(None)[0]) == 1


def test_a_transaction_in_another_database_of_the_cluster_holds_readers_back(own: Harness, scene: Scene) -> None:
    elsewhere = own.open_transaction(own.deployed)
    elsewhere.rows("SELECT pg_current_xact_id()::text")
    scene.open().store(event("quick", 1))
    assert scene.open().tail(None)[0] == []

    elsewhere.roll_back()

    assert len(scene.open().tail(None)[0]) == 1


@pytest.mark.parametrize("outcome", ["commit", "roll_back"])
def test_a_version_that_an_open_transaction_takes_is_waited_for(scene: Scene, held: Transaction, outcome: str) -> None:
    aggregate, answers = new_id(), list[dict[str, Any]]()
    append(held.store(scene.environment), event(aggregate, 1, by="held"))
    store = scene.open()
    writer = threading.Thread(target=lambda: answers.append(store.try_to_store(event(aggregate, 1, by="waiting"))))
    writer.start()
    eventually(lambda: waiting(scene) == 1, 10, "the writer to wait")

    getattr(held, outcome)()
    writer.join(10)

    [stored] = scene.open().aggregate(aggregate)
    if outcome == "commit":
        assert (answers[0]["error"]["code"], stored["metadata"]) == ("VersionConflict", {"by": "held"})
    else:
        assert ("events" in answers[0], stored["metadata"]) == (True, {"by": "waiting"})


def test_requests_over_the_same_aggregates_never_wait_for_each_other_in_a_circle(
    own: Harness, scene: Scene, held: Transaction
) -> None:
    """One waits for version 1 of `b`, the other for what the first has by then; `a` is free for both."""
    append(held.store(scene.environment), event("b", 1))
    answers: list[dict[str, Any]] = []
    requests = ([event("c", 1), event("b", 1), event("a", 1)], [event("a", 1), event("b", 1), event("c", 1)])
    stores = [scene.open() for _ in requests]

    def waits(number: int) -> bool:
        return waiting(scene) == number

    def try_to_store(store: InProcess, request: list[Event]) -> None:
        answers.append(store.try_to_store(*request))

    with scene.watch.recording() as calls:
        writers = [
            threading.Thread(target=partial(try_to_store, store, request))
            for store, request in zip(stores, requests, strict=True)
        ]
        for number, writer in enumerate(writers, start=1):
            writer.start()
            eventually(partial(waits, number), 10, "the writer to wait")
        held.roll_back()
        for writer in writers:
            writer.join(20)

    assert sorted("events" in answer for answer in answers) == [False, True]
    assert [call.answer.get("Error") for call in calls] == [None, None], "the server broke a deadlock"


def test_a_transaction_stores_one_request_and_nothing_before(scene: Scene, held: Transaction) -> None:
    append(held.store(scene.environment), event(new_id(), 1))

    with pytest.raises(Exception, match="must be the first to write in its transaction"):
        append(held.store(scene.environment), event(new_id(), 1))


@pytest.mark.parametrize(
    "change", ["UPDATE events SET event_type = 'X'", "DELETE FROM events", "TRUNCATE events"], ids=str.lower
)
def test_history_cannot_be_changed_by_mistake(scene: Scene, rows: Rows, change: str) -> None:
    aggregate = new_id()
    scene.open().store(event(aggregate, 1))

    with pytest.raises(Exception, match="events are never changed or deleted"):
        rows(change)

    assert len(scene.open().aggregate(aggregate)) == 1


def waiting(scene: Scene) -> int:
    """How many appends wait for another transaction."""
    assert isinstance(scene.harness, Harness)
    sql = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%append_events%'"
    )
    return int(scene.harness.rows(scene.environment, sql)[0][0])


class JustMissed(Disturbance):
    """The first call is told what it would be if version 1 were committed between its look and its answer."""

    def before_sending(self, call: Call, request: Any, send: Any) -> AWSResponse | None:
        if call.number:
            return None
        content = json.dumps({"records": [[{"isNull": True}, {"isNull": True}, {"longValue": 1}]]}).encode()
        return answer(request, 200, {}, content)


def test_an_append_that_missed_the_version_before_by_a_moment_is_tried_again(scene: Scene) -> None:
    aggregate = new_id()
    scene.open().store(event(aggregate, 1))

    with scene.watch.recording(JustMissed()) as calls:
        scene.open().store(event(aggregate, 2))

    assert len(calls) == 2
    assert [event["aggregateVersion"] for event in scene.log()] == [1, 2]

"""The sweep: finds what no doorbell has brought into the log, a bounded stretch at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from lambdas.eventstore import ksuids, retry
from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing import doorbells
from lambdas.eventstore.sequencing.doorbells import Doorbells
from lambdas.eventstore.sequencing.sweep import SCAN_SECONDS, Bounds, redrive, sweep
from testkit.faults import Crash
from tests.sequencer import model
from tests.sequencer.model import Call, Fault, Strike
from tests.sequencer.world import SECONDS, Clock, ModelQueue, ModelWorld, numbers

ALL = "z" * ksuids.LENGTH
"""Above every id."""


def run(
    world: ModelWorld,
    ring: Callable[[Doorbells], object],
    limit: int = 1000,
    settled: str = ALL,
    lost: str = "",
    megabytes: int = 100,
    queue: ModelQueue | None = None,
    seconds: float = SECONDS,
) -> int:
    failures, bounds = (queue or ModelQueue()).open(), Bounds(limit, megabytes, settled, lost)

    def rings(stragglers: Doorbells) -> None:
        ring(stragglers)

    with time_limit(seconds):
        known = redrive(failures, world.open_log(), rings)
        return sweep(world.open_events(), world.open_log(), rings, failures.set_aside, bounds, known)


def test_events_whose_notifications_were_dropped_are_found_and_sequenced(world: ModelWorld) -> None:
    world.store(("ann", 1), ("ann", 2), ("josh", 1))
    world.sequence({"ann": 1})
    assert run(world, world.sequence) == 2
    world.assert_complete()
    assert run(world, world.sequence) == 0


def test_nothing_is_rung_for_when_nothing_is_missing(world: ModelWorld) -> None:
    world.store(("ann", 1), ("josh", 1))
    world.sequence(world.doorbells())
    rung: list[Doorbells] = []
    assert run(world, rung.append) == 0
    assert not rung


def test_runs_are_bounded_and_go_on_where_the_last_one_ended_pass_after_pass(world: ModelWorld) -> None:
    world.store(*((f"aggregate {n}", version) for n in range(10) for version in (1, 2)))
    for _ in range(2):
        found: list[Doorbells] = []
        for _ in range(5):
            assert run(world, found.append, limit=4) <= 4
        assert doorbells.of(pointer for rung in found for pointer in rung.items()) == world.doorbells()


def test_a_run_looks_at_no_more_than_it_may(world: ModelWorld) -> None:
    world.store(*((f"aggregate {n}", 1) for n in range(10)))
    looked_at = []

    def count(operation: str, call: Call) -> Any:
        answer = call()
        if operation == "scan":
            looked_at.append(answer["ScannedCount"])
        return answer

    world.around = count
    run(world, lambda _: None, limit=4)
    assert looked_at == [4]


def test_at_most_a_hundred_aggregates_are_rung_for_at_a_time(world: ModelWorld) -> None:
    world.store(*((f"aggregate {n}", 1) for n in range(250)))
    rung: list[Doorbells] = []
    assert run(world, rung.append) == 250
    assert sorted(map(len, rung)) == [50, 100, 100]


def test_events_that_may_still_be_on_their_way_are_left_alone(world: ModelWorld) -> None:
    world.store(("ann", 1))
    between = ksuids.first_of(1_800_000_000)
    [young] = ksuids.issue(1, 1_900_000_000)
    world.store(("ann", 2), ("josh", 1), eventId={"S": young})
    rung: list[Doorbells] = []
    run(world, rung.append, settled=between)
    assert rung == [{"ann": 1}]


def test_an_item_that_is_no_event_does_not_stop_the_sweep(world: ModelWorld) -> None:
    world.store(("josh", 1))
    world.store(("ann", 1), eventId={"NULL": True})
    world.dynamodb.put_item(
        TableName=world.events, Item={"aggregateId": {"S": "eve"}, "aggregateVersion": {"N": "-1.5e30"}}
    )
    run(world, world.sequence)
    assert [event[:2] for event in world.logged()] == [("josh", 1)]


def test_what_was_set_aside_is_rung_for_by_the_next_run_however_large_the_store(world: ModelWorld) -> None:
    world.store(*((f"aggregate {n}", 1) for n in range(300)), ("zoe", 1), ("zoe", 3))
    world.sequence(world.doorbells())
    queue = ModelQueue()
    queue.open().set_aside({"zoe": 3}, [])
    world.store(("zoe", 2))

    run(world, world.sequence, limit=1, queue=queue)

    world.assert_complete()
    assert not queue.bodies


def test_however_often_a_doorbell_was_set_aside_one_message_stays_while_it_is_unmet(world: ModelWorld) -> None:
    queue = ModelQueue()
    for version in range(2, 252):
        queue.open().set_aside({"ann": version}, [])
    rung: list[Doorbells] = []

    def sequencer(doorbells: Doorbells) -> None:
        rung.append(doorbells)
        queue.open().set_aside(world.sequence(doorbells), [])

    for runs in range(1, 4):
        run(world, sequencer, queue=queue)
        assert rung == [{"ann": 251}] * runs
        assert len(queue.bodies) == 1


def test_what_was_set_aside_and_met_since_is_rung_for_no_more(world: ModelWorld) -> None:
    world.store(("ann", 1))
    queue = ModelQueue()
    queue.open().set_aside({"ann": 1}, [])
    world.sequence({"ann": 1})
    rung: list[Doorbells] = []
    run(world, rung.append, queue=queue)
    assert not rung
    assert not queue.bodies


@pytest.mark.parametrize(
    "body", ["", "[" * 5000, "5", '{"DDBStreamBatchInfo": {}}', '{"doorbells": [{"aggregateId": 5}]}']
)
def test_what_others_have_put_into_the_queue_stays_for_a_person(world: ModelWorld, body: str) -> None:
    queue = ModelQueue()
    queue.send_message(MessageBody=body)
    queue.open().set_aside({"ann": 1}, [])
    for _ in range(2):
        run(world, lambda _: None, queue=queue)
        assert list(queue.bodies.values()) == [body]
        assert len(queue.open().take()) == 1, "the alarm sees it again at once"
        queue.time_passes()


def test_a_run_that_dies_while_it_rings_for_what_was_set_aside_loses_nothing(world: ModelWorld) -> None:
    world.store(("ann", 1))
    queue = ModelQueue()
    queue.open().set_aside({"ann": 1}, [])

    def dies(_: Doorbells) -> None:
        raise Crash

    with pytest.raises(Crash):
        run(world, dies, queue=queue, limit=0)
    queue.time_passes()

    run(world, world.sequence, queue=queue, limit=0)
    world.assert_complete()


def test_a_run_ends_before_its_time_does(world: ModelWorld) -> None:
    world.store(*((f"aggregate {n}", 1) for n in range(100)))

    def slow(operation: str, call: Call) -> Any:
        clock.sleep(1.0)
        return call()

    with patch.object(retry, "time", Clock()) as clock:
        world.around = slow
        run(world, lambda _: None, limit=1, seconds=SCAN_SECONDS - 1)
        assert not world.in_the_middle_of_a_pass(), "there was no time to begin"
        for _ in range(30):
            began = clock.monotonic()
            run(world, lambda _: None, limit=3, lost=ALL, seconds=30)
            assert clock.monotonic() - began < 30


def test_a_run_reads_no_more_bytes_than_it_may(world: ModelWorld) -> None:
    world.store(*((f"aggregate {n}", 1) for n in range(10)), metadata={"M": {"text": {"S": "x" * 350_000}}})
    requests: list[int] = []

    def counted(operation: str, call: Call) -> Any:
        answer = call()
        if operation == "scan":
            requests.append(answer["ScannedCount"])
        return answer

    world.around = counted
    run(world, lambda _: None, megabytes=3)
    assert requests == [2, 2, 2], "a request reads 1 MB at most"


def test_an_event_that_was_lost_has_the_whole_store_looked_at_until_none_is_found(world: ModelWorld) -> None:
    world.store(*((f"aggregate {n}", 1) for n in range(10)))
    world.sequence({f"aggregate {n}": 1 for n in range(10) if n != 5})
    looked_at: list[int] = []

    def counted(operation: str, call: Call) -> Any:
        answer = call()
        if operation == "scan":
            looked_at[-1] += answer["ScannedCount"]
        return answer

    world.around = counted
    for _ in range(6):
        looked_at.append(0)
        run(world, world.sequence, limit=2, lost=ALL)

    assert looked_at == [2, 2, 6, 10, 2, 2]
    world.assert_complete()


def test_events_that_wait_for_a_sequencer_in_arrears_make_no_run_longer(world: ModelWorld) -> None:
    world.store(*((f"aggregate {n}", 1) for n in range(10)))
    for _ in range(3):
        assert run(world, lambda _: None, limit=2) == 2


def test_what_is_known_to_be_unmet_is_rung_for_once_a_run_and_makes_none_longer(world: ModelWorld) -> None:
    world.store(("ann", 1), ("ann", 2), ("bob", 1), eventType={"NULL": True})
    world.store(("zoe", 1))
    queue = ModelQueue()
    rung: list[Doorbells] = []

    def sequencer(doorbells: Doorbells) -> None:
        rung.append(doorbells)
        queue.open().set_aside(world.sequence(doorbells), [])

    for _ in range(3):
        run(world, sequencer, lost=ALL, queue=queue)
    rung.clear()
    run(world, sequencer, limit=2, lost=ALL, queue=queue)
    assert rung == [{"ann": 2, "bob": 1}]
    assert len(queue.bodies) == 1


NOT_KEYS = [
    *((f"{size}".ljust(size, "x"), "1") for size in range(2039, 2049)),
    *(("ann", it) for it in ("0", "-1", "1.5", "1e30")),
]


def test_items_that_cannot_be_events_are_set_aside_once_and_the_cursor_moves_on(world: ModelWorld) -> None:
    world.store(("ann", 1), ("josh", 1), ("z", 1))
    for aggregate, version in NOT_KEYS:
        item = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": version}}
        world.dynamodb.put_item(TableName=world.events, Item=item)
    queue = ModelQueue()

    for _ in range(3):
        run(world, world.sequence, limit=2, queue=queue)
        while world.in_the_middle_of_a_pass():
            run(world, world.sequence, limit=2, queue=queue)
        assert len(world.logged()) == 3
        assert sum(len(letter.others) for letter in queue.open().take()) == len(NOT_KEYS)
        queue.time_passes()


@pytest.mark.parametrize("kind", model.FAULTS)
def test_a_sweep_killed_anywhere_misses_nothing_in_that_pass(kind: Strike) -> None:
    for number in numbers():
        world, fault = ModelWorld(), Fault(kind, number)
        world.store(*((name, version) for name in ("ann", "josh", "eve", "bob") for version in (1, 2)))
        world.disturbed(fault, partial(run, world, world.sequence, limit=3))
        world.assert_sound()
        run(world, world.sequence, limit=3)
        while world.in_the_middle_of_a_pass():
            run(world, world.sequence, limit=3)
        world.assert_complete()
        if not fault.struck:
            break
    assert number > 10, "the sweep has made fewer calls than it needs"


def test_two_sweeps_at_once_are_as_good_as_one(world: ModelWorld) -> None:
    world.store(*((name, 1) for name in ("ann", "josh", "eve", "bob")))
    rung: list[Doorbells] = []

    def another(found: Doorbells) -> None:
        rung.append(found)
        run(world, rung.append, limit=2)

    run(world, another, limit=2)
    for found in rung:
        world.sequence(found)
    run(world, world.sequence)
    run(world, world.sequence)
    world.assert_complete()

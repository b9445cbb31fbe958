"""The sweep: finds what no doorbell has brought into the log, a bounded stretch at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from lambdas.eventstore import ksuids
from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing import doorbells
from lambdas.eventstore.sequencing.doorbells import Doorbells
from lambdas.eventstore.sequencing.sweep import sweep
from tests.sequencer import model
from tests.sequencer.model import Call, Fault, Strike
from tests.sequencer.world import SECONDS, ModelWorld, numbers

ALL = "z" * ksuids.LENGTH
"""Above every id."""


def run(world: ModelWorld, ring: Callable[[Doorbells], Any], limit: int = 1000, settled: str = ALL) -> int:
    with time_limit(SECONDS):
        return sweep(world.open_events(), world.open_log(), ring, limit, settled)


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

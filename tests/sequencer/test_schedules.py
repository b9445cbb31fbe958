"""Two sequencers at once, in every order of their AWS calls; and notifications that are not what they should be."""

from __future__ import annotations

import random
from functools import partial
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest

from lambdas.eventstore.sequencing import doorbells, sequencer
from lambdas.eventstore.sequencing.doorbells import Doorbells
from testkit.aws_calls import Watch
from tests.sequencer.model import Call
from tests.sequencer.turns import Choice, Turns, every_schedule
from tests.sequencer.world import ModelWorld, World

EVENTS = [("ann", 1), ("josh", 1), ("ann", 2), ("josh", 2), ("ann", 3)]
RIVALS: dict[str, tuple[Doorbells, Doorbells]] = {
    "with the same news": ({"ann": 1}, {"ann": 1}),
    "one with older news": ({"ann": 2}, {"ann": 1}),
    "with news of different aggregates": ({"ann": 1}, {"josh": 1}),
}


@pytest.mark.parametrize("news", RIVALS.values(), ids=RIVALS)
def test_two_sequencers_write_one_order_without_holes_or_repeats_in_every_order_of_their_calls(
    news: tuple[Doorbells, Doorbells],
) -> None:
    schedules = list(every_schedule(lambda schedule: rivals(schedule, *news)))
    assert len(set(schedules)) == len(schedules) > 500


@pytest.mark.parametrize("seed", range(200))
def test_two_sequencers_that_write_many_pages_write_one_order(seed: int) -> None:
    draw = random.Random(seed)
    schedule = "".join(draw.choice("AB") * draw.randint(1, 3) for _ in range(60))
    with patch.object(sequencer, "BATCH", 2):
        rivals(schedule, {"ann": 3, "josh": 2}, {"josh": 2, "ann": 3})


def rivals(schedule: str, *news: Doorbells) -> list[Choice]:
    """Two sequencers, A and B; and then a third, which goes by the marks that they have left."""
    turns, world = Turns(), ModelWorld()
    world.store(*EVENTS)

    def take_turns(operation: str, call: Call) -> Any:
        turns.before_call()
        return call()

    world.around = take_turns
    workers = {name: partial(world.sequence, doorbells) for name, doorbells in zip("AB", news, strict=True)}
    choices = turns.run(workers, schedule)

    world.assert_sound()
    reached = {aggregate: version for aggregate, version, _ in world.logged()}
    assert all(reached[aggregate] >= version for doorbells in news for aggregate, version in doorbells.items())
    assert not world.sequence(world.doorbells())
    world.assert_complete()
    return choices


def test_records_that_arrive_in_reverse_enter_the_log_in_the_order_of_versions(world: ModelWorld) -> None:
    world.store(*EVENTS)
    for aggregate, version in reversed(EVENTS):
        assert not world.sequence({aggregate: version})
        world.assert_sound()
    world.assert_complete()


def test_of_the_records_of_an_aggregate_in_a_batch_the_highest_counts_wherever_it_stands(world: ModelWorld) -> None:
    world.store(*EVENTS)
    assert not world.sequence(doorbells.of(reversed(EVENTS)))
    world.assert_complete()


def test_records_that_are_delivered_again_change_nothing(world: ModelWorld) -> None:
    world.store(*EVENTS)
    world.sequence({"ann": 3, "josh": 2})
    logged = world.logged()
    for _ in range(2):
        for aggregate, version in EVENTS:
            assert not world.sequence({aggregate: version})
    assert world.logged() == logged


def test_the_next_event_of_an_aggregate_brings_along_those_whose_records_were_lost(world: ModelWorld) -> None:
    world.store(*EVENTS)
    world.sequence({"ann": 3})
    assert world.logged() == sorted(event for event in world.stored() if event[0] == "ann")


def test_the_events_of_a_page_are_in_the_order_of_their_ids(world: ModelWorld) -> None:
    world.store(*EVENTS)
    world.sequence({"josh": 2, "ann": 3})
    assert [(aggregate, version) for aggregate, version, _ in world.logged()] == EVENTS


def test_an_event_heard_of_before_its_predecessor_can_be_read_is_waited_for(world: ModelWorld) -> None:
    """While a transaction commits, one of its events may be read before another."""
    world.store(("ann", 1), ("ann", 2), ("josh", 1))
    hidden, reads = {"ann 1", "josh 1"}, count()

    def not_yet_visible(operation: str, call: Call) -> Any:
        answer = call()
        for table, items in (answer or {}).get("Responses", {}).items():
            if table == world.events and next(reads) < 2:
                answer["Responses"][table] = [item for item in items if " ".join(name_of(item)) not in hidden]
        return answer

    world.around = not_yet_visible
    assert not world.sequence({"ann": 2, "josh": 1})
    world.assert_complete()


def name_of(item: dict[str, Any]) -> tuple[str, str]:
    return item["aggregateId"]["S"], item["aggregateVersion"]["N"]


def test_what_a_sequencer_and_a_reader_read_they_read_strongly_consistently(
    emulated_world: World, watch: Watch
) -> None:
    emulated_world.store(*EVENTS)
    with watch.recording() as calls:
        emulated_world.sequence({"ann": 3, "josh": 2})
        emulated_world.open_log().read(None, 10)
    reads = [call.parameters for call in calls if call.operation in ("GetItem", "BatchGetItem", "Query")]
    requests = [request for read in reads for request in read.get("RequestItems", {"": read}).values()]
    assert len(requests) >= 4
    assert all(request["ConsistentRead"] for request in requests)

"""What somebody has put into the events table, or claims to be there, holds up its own aggregate and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from lambdas.eventstore.sequencing import doorbells
from lambdas.eventstore.sequencing.log import PAGE_BYTES
from tests.sequencer.model import Fault
from tests.sequencer.world import ModelWorld

NOT_EVENTS: dict[str, dict[str, Any]] = {
    "no metadata": {"metadata": {"NULL": True}, "eventType": {"NULL": True}},
    "metadata that are a set": {"metadata": {"M": {"tags": {"SS": ["a"]}}}},
    "a version that is text": {"eventVersion": {"S": "one"}},
    "more than a page holds": {"metadata": {"M": {"text": {"S": "x" * PAGE_BYTES}}}},
}


@pytest.mark.parametrize("attributes", NOT_EVENTS.values(), ids=NOT_EVENTS)
def test_an_item_that_is_no_event_holds_up_its_own_aggregate_only(
    world: ModelWorld, attributes: dict[str, Any]
) -> None:
    world.store(("josh", 1), ("ann", 1))
    world.store(("ann", 2), **attributes)
    world.store(("ann", 3), ("josh", 2))

    assert world.sequence({"ann": 3, "josh": 2}) == {"ann": 3}

    world.assert_sound()
    assert [(aggregate, version) for aggregate, version, _ in world.logged()] == [("josh", 1), ("ann", 1), ("josh", 2)]


def test_an_event_that_is_mended_is_sequenced_with_all_behind_it(world: ModelWorld) -> None:
    world.store(("ann", 1))
    world.store(("ann", 2), eventType={"NULL": True})
    world.store(("ann", 3))
    assert world.sequence({"ann": 3}) == {"ann": 3}

    world.store(("ann", 2))

    assert not world.sequence({"ann": 3})
    world.assert_complete()


@pytest.mark.parametrize("version", [3, 10**6, 10**30])
def test_a_doorbell_for_events_that_do_not_exist_is_answered_with(world: ModelWorld, version: int) -> None:
    world.store(("ann", 1), ("ann", 2), *(("josh", n) for n in range(1, 121)))

    assert world.sequence({"ann": version, "bob": 1, "josh": 120}) == {"ann": version, "bob": 1}

    world.assert_complete()


def test_many_doorbells_that_cannot_be_met_hold_up_nothing(world: ModelWorld) -> None:
    world.store(("josh", 1))
    false = {f"nobody {n}": 1000 for n in range(150)}

    calls = Fault(lambda call: call(), number=0)

    world.around = calls
    assert world.sequence({**false, "josh": 1}) == false

    world.assert_complete()
    assert calls.calls < 60, "patience has a bound"


def test_a_version_that_is_no_whole_number_says_where_to_look_like_any_other(world: ModelWorld) -> None:
    keys = {"aggregateId": {"S": "ann"}, "aggregateVersion": {"N": "1.5"}}
    assert doorbells.from_stream([{"dynamodb": {"Keys": keys}}]) == {"ann": 1}

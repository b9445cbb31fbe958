"""A sequencer killed at each of its AWS calls, in every way, and what the next invocation makes of it."""

from __future__ import annotations

from functools import partial

import pytest

from lambdas.eventstore.sequencing.doorbells import Doorbells
from tests.sequencer import model
from tests.sequencer.model import Call, Fault, Strike
from tests.sequencer.world import ModelWorld, numbers

BEFORE: Doorbells = {"ann": 2}
NEWS: Doorbells = {"ann": 4, "josh": 2, "eve": 1}

CONTINUATIONS: dict[str, list[Doorbells]] = {
    "the same batch": [NEWS],
    "an older batch": [BEFORE, {"ann": 3}, {"josh": 1}, NEWS],
    "another order": [{"eve": 1, "josh": 2, "ann": 4}],
    "record by record": [{"josh": 2}, {"ann": 4}, {"eve": 1}, {"ann": 3}, {"josh": 1}],
}
CALLS = 8
"""Of a sequencer that is not disturbed: checkpoint, marks, events, page, three marks, checkpoint."""


def with_news() -> ModelWorld:
    """Two events are in the log, five are not."""
    world = ModelWorld()
    world.store(("ann", 1), ("ann", 2))
    world.sequence(BEFORE)
    world.store(("josh", 1), ("ann", 3), ("eve", 1), ("josh", 2), ("ann", 4))
    return world


@pytest.mark.parametrize("continuation", CONTINUATIONS.values(), ids=CONTINUATIONS)
@pytest.mark.parametrize("kind", model.FAULTS)
def test_a_sequencer_killed_anywhere_is_continued_by_the_next(kind: Strike, continuation: list[Doorbells]) -> None:
    for number in numbers():
        world, fault = with_news(), Fault(kind, number)
        world.disturbed(fault, partial(world.sequence, NEWS))
        world.assert_sound()

        for doorbells in continuation:
            assert not world.sequence(doorbells)
            world.assert_sound()

        world.assert_complete()
        if not fault.struck:
            break
    assert number >= CALLS


@pytest.mark.parametrize("kind", model.FAULTS)
def test_a_sequencer_killed_again_and_again_gets_on(world: ModelWorld, kind: Strike) -> None:
    for number in numbers():
        world.store(("ann", number + 1), (f"new {number}", 1))
        fault = Fault(kind, number)
        world.disturbed(fault, lambda: world.sequence(world.doorbells()))
        world.assert_sound()
        if not fault.struck:
            break
    world.assert_complete()


def test_a_call_that_lands_after_its_sequencer_died_and_others_went_on_harms_nothing() -> None:
    for number in numbers():
        world = with_news()
        zombie = Fault(partial(lands_late, world), number)
        world.disturbed(zombie, partial(world.sequence, NEWS))
        world.assert_sound()
        if not zombie.struck:
            break

        world.store(("ann", 6), ("josh", 4), ("eve", 3))
        assert not world.sequence(world.doorbells())
        world.assert_complete()
    assert number >= CALLS


def lands_late(world: ModelWorld, call: Call) -> None:
    """While one call is on its way, its sequencer is given up and others do their work; then the call lands."""
    world.sequence(NEWS)
    world.store(("ann", 5), ("josh", 3), ("eve", 2))
    world.sequence({"josh": 3})
    world.sequence({"ann": 5, "eve": 2})
    model.killed_after(call)

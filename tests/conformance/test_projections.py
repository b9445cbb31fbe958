"""Projections on every pattern: exactly once, whatever happens to any AWS call that a runner makes.

The store's own calls are among them. Planted defects are found on the memory store, in tests/projections.
"""

from __future__ import annotations

import random

import pytest

from lambdas.projections import ReadModel, Runner
from lambdas.projections.push import Push, target_of
from testkit import faults
from testkit.aws_calls import Watch
from testkit.capacity import cost
from testkit.examples import event, history, new_id
from testkit.faults import Fault
from testkit.projections import World, all_events, arn_of, assert_delivered, assert_tallied, queue, read_model, received
from testkit.trials import disturbed, numbers


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_each_event_counts_once_though_a_fault_strikes_any_call(world: World, watch: Watch, kind: type[Fault]) -> None:
    subject, josh, ann = world.subject(), new_id(), new_id()
    subject.store(*history(josh, 2))
    subject.store(event(ann, 1), event(josh, 3))
    world.drain()
    for number in numbers():
        with read_model() as model:
            fault = kind(number)
            disturbed(watch, fault, world.runner(model).run)
            assert world.runner(model).run().caught_up
            assert_tallied(model, all_events(world.store()))
        if not fault.struck:
            break
    assert number > 3


def test_runners_that_come_and_go_while_events_are_stored_count_each_once(world: World, watch: Watch) -> None:
    subject, aggregates, draw = world.subject(), [new_id() for _ in range(5)], random.Random(15)
    stored = dict.fromkeys(aggregates, 0)
    with read_model() as model:
        for _ in range(12):
            for aggregate in draw.sample(aggregates, 3):
                count = draw.randint(1, 4)
                subject.store(*history(aggregate, count, first=stored[aggregate] + 1))
                stored[aggregate] += count
            world.drain()
            disturbed(watch, draw.choice(faults.ENUMERATED)(draw.randrange(6)), world.runner(model).run)
        assert world.runner(model).run().caught_up
        events = all_events(world.store())
        assert len(events) == sum(stored.values())
        assert_tallied(model, events)
        assert world.runner(model).run().lag_events == 0


def test_a_projected_event_costs_what_its_items_cost(world: World, watch: Watch) -> None:
    """Two items for each event, and one event of each of 25 aggregates: one page, one transaction."""
    subject, aggregates = world.subject(), [new_id() for _ in range(25)]
    for first in range(0, 25, 5):
        subject.store(*[event(aggregate, 1) for aggregate in aggregates[first : first + 5]])
    world.drain()
    with read_model() as model:
        with watch.recording() as calls:
            world.runner(model).run()
        own = [call for call in calls if _is_of(model, call.parameters)]
        units = cost(own)
    marks = 1 if world.late_seconds else 0
    assert units.write_units == 25 * 2 * (2 + marks) + 2, "two items (and a mark) an event, one checkpoint"
    assert units.read_units == 25 * (2 + marks) + 2, "two items (and a mark) an event, checkpoint and generations"


def _is_of(model: ReadModel, parameters: dict[str, object]) -> bool:
    return model.name in str(parameters)


def test_every_event_is_pushed_in_the_order_of_its_aggregate_though_the_function_crashes(
    world: World, watch: Watch
) -> None:
    subject, josh, ann = world.subject(), new_id(), new_id()
    subject.store(*history(josh, 2))
    subject.store(event(ann, 1), event(josh, 3))
    world.drain()

    def subscription(model: ReadModel, url: str) -> Runner:
        push = Push("all", target_of(arn_of(url), "/store"), lambda event, reason: pytest.fail(reason), "/store")
        return Runner(world.store(), model, push, late_seconds=world.late_seconds, deliver=push.deliver)

    for number in numbers():
        with read_model() as model, queue(fifo=True) as url:
            fault = faults.CrashAfter(number)
            disturbed(watch, fault, subscription(model, url).run)
            assert subscription(model, url).run().caught_up
            assert_delivered(received(url), all_events(world.store()))
        if not fault.struck:
            break
    assert number > 4

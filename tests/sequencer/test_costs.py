"""What sequencing costs: at most 3 write units an event, the append included, and no more for a log that is long."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest

from lambdas.eventstore import ksuids
from lambdas.eventstore.dynamodb.items import item_bytes
from lambdas.eventstore.events import NewEvent
from testkit.aws_calls import Watch
from testkit.capacity import Cost, cost
from tests.sequencer.world import World

FIFTY = {f"aggregate {n:02}": 1 for n in range(50)}
APPEND = 1
"""Write units that it takes to put an event whose item fits 1 KB."""


def words(count: int, seed: int) -> str:
    """Text that compresses as text does, and no better."""
    draw = random.Random(seed)
    return " ".join("".join(draw.choice("etaoinshrdlu") for _ in range(draw.randint(2, 9))) for _ in range(count))


@pytest.mark.parametrize("length", [0, 30, 120])
def test_fifty_events_of_fifty_aggregates_take_at_most_three_write_units_each(
    emulated_world: World, watch: Watch, length: int
) -> None:
    for n, aggregate in enumerate(FIFTY):
        emulated_world.store((aggregate, 1), metadata={"M": {"text": {"S": words(length, seed=n)}}})
    largest = max(map(item_bytes, emulated_world.dynamodb.scan(TableName=emulated_world.events)["Items"]))
    assert largest <= 1024

    with watch.recording() as calls:
        emulated_world.sequence(FIFTY)

    assert APPEND + cost(calls).write_units / 50 <= 3
    emulated_world.assert_complete()


def test_sequencing_and_reading_cost_the_same_in_a_log_of_a_hundred_events_and_of_twenty_thousand(
    emulated_world: World, watch: Watch
) -> None:
    costs: list[tuple[Cost, Cost, Cost]] = []
    for version, length in ((1, 100), (2, 20_000)):
        fill(emulated_world, length)
        emulated_world.store(*((aggregate, version) for aggregate in FIFTY))

        sequencing = measured(watch, partial(emulated_world.sequence, dict.fromkeys(FIFTY, version)))

        end = emulated_world.open_log().checkpoint()
        assert end >= length
        reading = measured(watch, partial(emulated_world.open_log().read, str(end - 50), 50))
        idling = measured(watch, partial(emulated_world.open_log().read, str(end), 50))
        costs.append((sequencing, reading, idling))

    assert costs[0] == costs[1]


def fill(world: World, length: int) -> None:
    """Makes the log at least so long, with pages of a hundred events."""
    log = world.open_log()
    position = log.checkpoint() + 1
    while position <= length:
        ids = ksuids.issue(100, 1_600_000_000 + position)
        past = [NewEvent("past", position + n, "NOTED", 1, {}).stored(event_id) for n, event_id in enumerate(ids)]
        page = log.append(position, past)
        if position + len(page) > length:
            log.confirm(position, page)
        position += len(page)


def measured(watch: Watch, work: Any) -> Cost:
    with watch.recording() as calls:
        work()
    return cost(calls)

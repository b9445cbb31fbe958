"""What can make an event late, each on its own; and that a settle window bears exactly what it is wide enough for."""

import time
from collections.abc import Iterator

import pytest

from testkit.aws_calls import Watch
from testkit.examples import event, new_id, versions
from testkit.harness import HarnessFor
from testkit.schedules import SCHEDULES, Scene, Schedule, clock_at, clock_moved
from tools.discovery import containing

PATTERN = containing(__file__)


@pytest.fixture
def scene(harness_for: HarnessFor, watch: Watch) -> Iterator[Scene]:
    harness = harness_for(PATTERN.name)
    environment = harness.fresh()
    yield Scene(harness, environment, watch, PATTERN.sheet)
    harness.discard(environment)


@pytest.mark.parametrize("schedule", SCHEDULES["late_events"])
def test_each_of_these_makes_an_event_late(scene: Scene, schedule: Schedule) -> None:
    assert schedule(scene)


@pytest.mark.parametrize(("behind", "late"), [(1, False), (9, False), (11, True), (60, True)])
def test_a_clock_behind_by_less_than_the_window_makes_nothing_late(scene: Scene, behind: float, late: bool) -> None:
    scene.environment["SETTLE_MS"] = "10000"
    passed, skewed = new_id(), new_id()
    now = time.time()
    with clock_at(now - 10.5):
        scene.open().store(event(passed, 1))
    with clock_at(now):
        seen, place = scene.open().tail(None)  # reads up to ten seconds ago
    with clock_at(now - behind):
        scene.open().store(event(skewed, 1))

    with clock_at(now + 60):
        seen += scene.open().tail(place)[0]

    assert passed in [event["aggregateId"] for event in seen]
    assert (skewed not in [event["aggregateId"] for event in seen]) is late


def test_an_event_shows_once_the_window_has_passed_and_not_before(scene: Scene) -> None:
    scene.environment["SETTLE_MS"] = "10000"
    aggregate = new_id()
    now = time.time()
    with clock_at(now):
        scene.open().store(event(aggregate, 1))

    with clock_at(now + 9.9):
        assert scene.open().tail(None)[0] == []
    with clock_at(now + 10.1):
        assert versions(scene.open().tail(None)[0]) == [1]


def test_ids_rise_within_an_aggregate_whatever_the_clocks_say(scene: Scene) -> None:
    aggregate = new_id()
    for version, clock in enumerate([0, 3600, -3600, 0, 7200, -7200], start=1):
        with clock_moved(clock):
            scene.open().store(event(aggregate, version))

    with clock_moved(10_000):
        events = scene.open().tail(None)[0]
    assert versions(events) == [1, 2, 3, 4, 5, 6]
    assert [event["eventId"] for event in events] == sorted({event["eventId"] for event in events})


def test_a_request_over_several_aggregates_comes_behind_all_that_it_builds_on(scene: Scene) -> None:
    ahead, other = new_id(), new_id()
    with clock_moved(3600):
        [before] = scene.open().store(event(ahead, 1))
    stored = scene.open().store(event(other, 1), event(ahead, 2))

    assert before["eventId"] < stored[0]["eventId"] < stored[1]["eventId"]


def test_an_event_from_a_clock_ahead_shows_when_time_has_caught_up(scene: Scene) -> None:
    aggregate = new_id()
    now = time.time()
    with clock_at(now + 3600):
        scene.open().store(event(aggregate, 1))

    with clock_at(now + 3599):
        assert scene.open().tail(None)[0] == []
    assert versions(scene.open().aggregate(aggregate)) == [1]
    with clock_at(now + 3601):
        assert versions(scene.open().tail(None)[0]) == [1]

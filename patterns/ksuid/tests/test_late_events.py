"""What can make an event late, each on its own; and that a settle window covers exactly what it is wide enough for."""

import time
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from lambdas.eventstore.ksuids import MAX_DRIFT, ClockDrift, seconds_of
from testkit.aws_calls import Call, Disturbance, Send, Watch
from testkit.examples import event, new_id, versions
from testkit.faults import error_answer
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
    for version, clock in enumerate([0, 140, -140, 0, 150, -140], start=1):
        with clock_moved(clock):
            scene.open().store(event(aggregate, version))

    with clock_moved(10_000):
        events = scene.open().tail(None)[0]
    assert versions(events) == [1, 2, 3, 4, 5, 6]
    assert [event["eventId"] for event in events] == sorted({event["eventId"] for event in events})


def test_a_request_over_several_aggregates_comes_behind_all_that_it_builds_on(scene: Scene) -> None:
    ahead, other = new_id(), new_id()
    with clock_moved(240):
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


def test_an_id_that_is_too_far_ahead_is_not_followed_and_spreads_no_further(scene: Scene) -> None:
    """Behind it, no event of the aggregate would show before its time, nor of any aggregate stored together with it."""
    infected, healthy = new_id(), new_id()
    with clock_moved(3600):
        scene.open().store(event(infected, 1))
    scene.open().store(event(healthy, 1))

    with pytest.raises(ClockDrift, match="ahead of this one"):
        scene.open().store(event(infected, 2), event(healthy, 2))

    [stored] = scene.open().store(event(healthy, 2))
    with clock_moved(60):
        assert stored["eventId"] in [event["eventId"] for event in scene.open().tail(None)[0]]


def test_what_one_request_touches_is_hidden_for_no_longer_than_a_clock_can_be_ahead(scene: Scene) -> None:
    ahead, healthy = new_id(), new_id()
    now = time.time()
    with clock_at(now + MAX_DRIFT - 1):
        scene.open().store(event(ahead, 1))
    with clock_at(now):
        scene.open().store(event(ahead, 2), event(healthy, 1))
        scene.open().store(event(healthy, 2))

    with clock_at(now + MAX_DRIFT + 10):
        assert len(scene.open().tail(None)[0]) == 4


def test_an_attempt_behind_long_contention_makes_an_id_of_its_own_time(scene: Scene) -> None:
    """An id from before the contention could lie behind what readers have passed."""
    aggregate = new_id()

    class BusyOnce(Disturbance):
        """While the first attempt is refused, a minute passes, in which another event is stored and read."""

        def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
            if (call.number, call.attempts) != (0, 1):
                return None
            return error_answer(request, "TransactionConflictException")

    now = time.time()
    store = scene.open()
    moments = iter([now, now + 60])
    with scene.watch.recording(BusyOnce()), patch("time.time", lambda: next(moments, now + 60)):
        [stored] = store.store(event(aggregate, 1))

    assert seconds_of(stored["eventId"]) == pytest.approx(now + 60, abs=0.01)

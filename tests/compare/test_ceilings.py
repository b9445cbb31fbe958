"""The simulations against what AWS publishes, and against arithmetic."""

from functools import cache
from itertools import pairwise

import pytest

from compare.model import ceilings
from compare.model.ceilings import LOADS, Point, hours_until_lost, lagging, past
from compare.model.late_events import SKEWS, WINDOWS, late_share, shares

throttled, serialised = cache(ceilings.throttled), cache(ceilings.serialised)


def at(points: list[Point], load: float) -> Point:
    return next(point for point in points if point.load == load)


def test_below_the_ceiling_everything_gets_through() -> None:
    for points in (throttled(), serialised(), lagging()):
        assert at(points, 0.5).goodput == pytest.approx(0.5, rel=0.05)
        assert at(points, 0.5).failed == 0
        assert at(points, 0.5).lag == 0


def test_a_partition_gives_what_is_published_and_no_more_however_much_is_asked() -> None:
    for point in throttled():
        assert point.goodput <= 1.01
    assert at(throttled(), 3.0).goodput == pytest.approx(1.0, rel=0.02)
    assert at(throttled(), 3.0).failed > 0.5


def test_throttled_requests_wait_and_are_paid_for_again() -> None:
    points = throttled()

    assert at(points, 2.0).p50 > at(points, 0.9).p50
    assert at(points, 2.0).attempts > 1.5
    assert at(points, 0.5).attempts == pytest.approx(1.0, rel=0.01)


def test_one_append_at_a_time_never_passes_one_over_its_duration_and_races_cost_some_of_that() -> None:
    points = serialised()

    assert all(point.goodput <= 1.0 for point in points)
    assert at(points, 3.0).goodput > 0.5
    assert at(points, 3.0).attempts > 3
    assert at(points, 3.0).p99 < 10


def test_a_log_that_cannot_keep_up_falls_behind_by_what_comes_in_beyond_it() -> None:
    # Twice the ceiling for an hour: another hour to catch up.
    assert at(lagging(), 2.0).lag == pytest.approx(3600)
    assert at(lagging(), 1.0).lag == 0
    assert all(point.failed == 0 for point in lagging())


def test_a_stream_keeps_its_records_for_24_hours() -> None:
    assert hours_until_lost(1.0) is None
    # At twice the ceiling the oldest record that is waiting is half as old as the load has lasted.
    assert hours_until_lost(2.0) == pytest.approx(48)


def test_a_sheet_says_how_its_ceiling_is_felt_and_nothing_is_simulated_where_it_is_not() -> None:
    assert past({"past_it": ceilings.LAGS}) == lagging()
    assert past({"past_it": ceilings.THROTTLES}) == throttled()
    assert past({}) == []


def test_simulations_are_the_same_in_each_run() -> None:
    assert ceilings.throttled() == throttled()
    assert ceilings.serialised() == serialised()
    assert late_share(0.5, 0.5, 1000) == late_share(0.5, 0.5, 1000)


def test_a_wider_window_makes_fewer_events_late_and_a_worse_clock_more() -> None:
    found = {(share.skew, share.window): share.late for share in shares()}

    for skew in SKEWS:
        lates = [found[skew, window] for window in WINDOWS]
        assert lates == sorted(lates, reverse=True)
    for window in WINDOWS:
        lates = [found[skew, window] for skew in SKEWS]
        assert all(worse >= better - 0.001 for better, worse in pairwise(lates))


def test_a_window_of_two_seconds_suffices_for_clocks_that_agree() -> None:
    assert late_share(0.0, 2.0) < 0.001
    assert late_share(2.0, 0.1) > 0.2


def test_the_loads_go_past_the_ceiling() -> None:
    assert min(LOADS) < 1 < max(LOADS)

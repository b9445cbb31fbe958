"""Event ids as a hybrid logical clock."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ksuid import KsuidMs

from lambdas.eventstore import ksuids

NOW = 1_790_000_000.0
INSTANTS = st.floats(1_500_000_000, 2_400_000_000)
COUNTS = st.integers(1, 40)
FULL_TICK = str(KsuidMs.from_bytes(bytes(KsuidMs(datetime.fromtimestamp(NOW, UTC)))[:5] + b"\xff" * 15))


@given(COUNTS, INSTANTS)
def test_ids_of_a_request_rise(count: int, now: float) -> None:
    ids = ksuids.issue(count, now)

    assert len(ids) == count
    assert ids == sorted(set(ids))
    assert all(map(ksuids.is_ksuid, ids))


@given(COUNTS, INSTANTS, INSTANTS)
def test_ids_are_above_the_one_they_follow_whatever_the_clocks_say(count: int, now: float, before: float) -> None:
    [previous] = ksuids.issue(1, before)

    ids = ksuids.issue(count, now, previous)

    assert ids == sorted({*ids, previous})[1:]


@given(INSTANTS, st.floats(0.01, 1000))
def test_ids_of_later_instants_are_greater(now: float, later: float) -> None:
    assert ksuids.issue(40, now)[-1] < ksuids.issue(1, now + later)[0]


@given(INSTANTS)
def test_ids_tell_the_time_to_four_milliseconds(now: float) -> None:
    told = KsuidMs.from_base62(ksuids.issue(1, now)[0]).datetime.timestamp()

    assert now - 0.0041 <= told <= now + 0.001


@given(INSTANTS, st.floats(0.005, 1000))
def test_the_first_id_of_an_instant_divides_earlier_ids_from_its_own(now: float, earlier: float) -> None:
    border = ksuids.first_of(now)

    assert ksuids.issue(1, now - earlier)[0] < border <= ksuids.issue(1, now)[0]


def test_an_id_that_no_clock_within_reach_of_aws_can_have_made_is_not_followed() -> None:
    [ahead] = ksuids.issue(1, NOW + ksuids.MAX_DRIFT - 1)
    assert ksuids.issue_near(1, NOW, ahead)[0] > ahead

    [too_far] = ksuids.issue(1, NOW + ksuids.MAX_DRIFT + 1)
    with pytest.raises(ksuids.ClockDrift, match="301 s ahead"):
        ksuids.issue_near(1, NOW, too_far)


@pytest.mark.parametrize("now", [0.0, 1_399_999_000.0, 5_800_000_000.0, 1e18, -1e18])
def test_a_clock_outside_the_time_of_ksuids_is_named_as_the_fault(now: float) -> None:
    with pytest.raises(ksuids.ClockDrift, match="clock is wrong"):
        ksuids.issue(1, now)


def test_two_writers_that_follow_the_same_id_make_different_ids() -> None:
    [previous] = ksuids.issue(1, NOW + 3600)

    assert len({ksuids.issue(1, NOW, previous)[0] for _ in range(100)}) == 100


def test_ids_go_on_when_a_tick_is_used_up() -> None:
    ids = ksuids.issue(40, NOW, FULL_TICK)

    assert ids == sorted({*ids, FULL_TICK})[1:]
    assert KsuidMs.from_base62(ids[0]).datetime.timestamp() - NOW < 0.01


def test_time_moves_on_over_the_end_of_a_second() -> None:
    end_of_second = str(
        KsuidMs.from_bytes(bytes(KsuidMs(datetime.fromtimestamp(NOW, UTC)))[:4] + b"\xf9" + b"\xff" * 15)
    )

    [following] = ksuids.issue(1, NOW, end_of_second)

    assert following > end_of_second
    assert KsuidMs.from_base62(following).datetime.timestamp() == NOW + 1


def test_forty_ids_do_not_run_ahead_of_the_clock() -> None:
    last = ksuids.issue(40, NOW)[-1]

    assert last < ksuids.first_of(NOW + 0.005)


@given(INSTANTS)
def test_nothing_lies_between_an_id_and_its_successor(now: float) -> None:
    [event_id] = ksuids.issue(1, now)

    number = int.from_bytes(bytes(KsuidMs.from_base62(event_id)))
    assert int.from_bytes(bytes(KsuidMs.from_base62(ksuids.successor(event_id)))) == number + 1


def test_the_largest_id_has_no_successor() -> None:
    largest = str(KsuidMs.from_bytes(b"\xff" * 20))

    assert ksuids.successor(largest) == largest


@given(st.text(max_size=30) | st.from_regex(r"[0-9A-Za-z]{27}", fullmatch=True))
def test_a_ksuid_is_known_from_any_other_text(text: str) -> None:
    try:
        is_one = len(text) == 27 and text.isascii() and text.isalnum() and len(bytes(KsuidMs.from_base62(text))) == 20
    except (OverflowError, ValueError):
        is_one = False

    assert ksuids.is_ksuid(text) == is_one

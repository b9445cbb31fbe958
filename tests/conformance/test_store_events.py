"""The contract of store_events: atomic, optimistic, durable, safe to retry."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from testkit.examples import Event, bare, event, history, new_id, versions
from testkit.subjects import Subject

AGGREGATES_OF_A_REQUEST = 40


def test_it_answers_with_the_events_in_request_order(store: Subject) -> None:
    ann, josh = new_id(), new_id()
    requested = [event(josh, 1, n=1), event(ann, 1, n=2), event(josh, 2, n=3)]

    assert bare(store.store(*requested)) == requested


def test_the_ids_of_a_request_are_unique_and_rise(store: Subject) -> None:
    stored = store.store(*(event(new_id(), 1) for _ in range(AGGREGATES_OF_A_REQUEST)))

    ids = [event["eventId"] for event in stored]
    assert ids == sorted(set(ids))


def test_events_are_readable_the_moment_it_returns(store: Subject) -> None:
    aggregate = new_id()
    for version in range(1, 11):
        [stored] = store.store(event(aggregate, version, n=version))
        last = store.call("get_aggregate_events", aggregateId=aggregate, fromVersion=version)["events"]

        assert [(read["aggregateVersion"], read["eventId"]) for read in last] == [(version, stored["eventId"])]


def test_one_request_takes_forty_events_of_one_aggregate(store: Subject) -> None:
    aggregate = new_id()
    store.store(*history(aggregate, 40))

    assert versions(store.aggregate(aggregate)) == list(range(1, 41))


def test_one_request_goes_over_forty_aggregates(store: Subject) -> None:
    aggregates = [new_id() for _ in range(AGGREGATES_OF_A_REQUEST)]
    store.store(*(event(aggregate, 1) for aggregate in aggregates))
    store.store(*(event(aggregate, 2) for aggregate in aggregates))

    assert all(versions(store.aggregate(aggregate)) == [1, 2] for aggregate in aggregates)


@pytest.mark.parametrize("culprit", [0, 20, 39])
def test_one_conflict_keeps_all_forty_aggregates_unchanged(store: Subject, culprit: int) -> None:
    aggregates = [new_id() for _ in range(AGGREGATES_OF_A_REQUEST)]
    store.store(event(aggregates[culprit], 1))

    answer = store.try_to_store(*(event(aggregate, 1) for aggregate in aggregates))

    assert_conflict(answer, aggregates[culprit], expected=0, current=1)
    others = [aggregate for index, aggregate in enumerate(aggregates) if index != culprit]
    assert not any(store.aggregate(aggregate) for aggregate in others)


def test_a_gap_keeps_the_valid_events_before_it_out_too(store: Subject) -> None:
    valid, gappy = new_id(), new_id()

    assert_conflict(store.try_to_store(event(valid, 1), event(gappy, 2)), gappy, expected=1, current=0)
    assert store.aggregate(valid) == []


def test_a_new_aggregate_starts_at_version_1(store: Subject) -> None:
    aggregate = new_id()

    assert_conflict(store.try_to_store(event(aggregate, 2)), aggregate, expected=1, current=0)


def test_a_taken_version_is_a_conflict(store: Subject) -> None:
    aggregate = new_id()
    store.store(*history(aggregate, 3))

    for version in (1, 2, 3):
        answer = store.try_to_store(event(aggregate, version))
        assert_conflict(answer, aggregate, expected=version - 1, current=3)
    assert versions(store.aggregate(aggregate)) == [1, 2, 3]


def test_a_version_beyond_the_next_is_a_conflict(store: Subject) -> None:
    aggregate = new_id()
    store.store(*history(aggregate, 3))

    for version in (5, 6, 1000, 2**53 - 1):
        answer = store.try_to_store(event(aggregate, version))
        assert_conflict(answer, aggregate, expected=version - 1, current=3)
    assert versions(store.aggregate(aggregate)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("named", "culprit", "stored_before"),
    [
        pytest.param([1, 3], 1, 0, id="gap"),
        pytest.param([2, 1], 1, 0, id="descending"),
        pytest.param([1, 1], 1, 0, id="repeated"),
        pytest.param([1, 2, 2], 2, 0, id="repeated later"),
        pytest.param([3, 5], 1, 2, id="gap after stored ones"),
        pytest.param([4, 3], 1, 2, id="descending after stored ones"),
        pytest.param([3, 3], 1, 2, id="repeated after stored ones"),
        pytest.param([3, 2], 1, 2, id="back to a stored one"),
    ],
)
def test_versions_that_do_not_follow_each_other_are_an_invalid_request(
    store: Subject, named: list[int], culprit: int, stored_before: int
) -> None:
    aggregate = new_id()
    if stored_before:
        store.store(*history(aggregate, stored_before))

    answer = store.try_to_store(*(event(aggregate, version) for version in named))

    assert (answer["error"]["code"], answer["error"]["path"]) == ("InvalidRequest", f"/events/{culprit}")
    assert versions(store.aggregate(aggregate)) == list(range(1, stored_before + 1))


def test_a_conflict_is_told_for_the_first_event_that_does_not_follow(store: Subject) -> None:
    fine, first, second = new_id(), new_id(), new_id()
    store.store(event(first, 1), event(second, 1))

    answer = store.try_to_store(event(fine, 1), event(second, 3), event(first, 1))

    assert_conflict(answer, second, expected=2, current=1)


def test_a_conflict_says_what_to_do(store: Subject) -> None:
    aggregate = new_id()
    store.store(event(aggregate, 1))

    message = store.try_to_store(event(aggregate, 1))["error"]["message"]

    assert aggregate in message
    assert "retry" in message


def test_of_eight_writers_of_one_version_exactly_one_wins(store: Subject) -> None:
    aggregate = new_id()
    store.store(event(aggregate, 1))

    with ThreadPoolExecutor(8) as writers:
        answers = list(writers.map(lambda n: store.try_to_store(event(aggregate, 2, writer=n)), range(8)))

    [won] = [answer["events"][0] for answer in answers if "events" in answer]
    assert store.aggregate(aggregate)[1]["metadata"] == won["metadata"]
    for answer in answers:
        if "error" in answer:
            assert_conflict(answer, aggregate, expected=1, current=2)


def test_writers_of_overlapping_requests_leave_no_half_of_one(store: Subject) -> None:
    shared, own = new_id(), [new_id() for _ in range(6)]

    def write(n: int) -> bool:
        return "events" in store.try_to_store(event(own[n], 1), event(shared, 1, writer=n))

    with ThreadPoolExecutor(6) as writers:
        won = list(writers.map(write, range(6)))

    assert sum(won) == 1
    assert [bool(store.aggregate(aggregate)) for aggregate in own] == won


def test_a_repeated_request_answers_with_what_was_stored_the_first_time(store: Subject) -> None:
    request, request_id = [event(new_id(), 1, n=1.5), event(new_id(), 1, name="Ann")], new_id()
    stored = store.store(*request, request_id=request_id)

    for _ in range(2):
        assert same(store.store(*request, request_id=request_id), stored)


def test_a_repeated_request_stores_nothing_twice(store: Subject) -> None:
    aggregate, after = new_id(), store.log_end()
    for _ in range(3):
        store.store(*history(aggregate, 2), request_id=aggregate)

    assert versions(store.aggregate(aggregate)) == [1, 2]
    store.store(event(aggregate, 3))  # once this one shows, a second copy of the earlier ones would too
    assert versions(store.log_of(aggregate, count=3, after=after)) == [1, 2, 3]


def test_a_request_is_recognised_when_later_versions_are_stored(store: Subject) -> None:
    aggregate, request_id = new_id(), new_id()
    store.store(event(aggregate, 1))
    stored = store.store(*history(aggregate, 2, first=2), request_id=request_id)
    store.store(*history(aggregate, 5, first=4))

    assert same(store.store(*history(aggregate, 2, first=2), request_id=request_id), stored)
    assert versions(store.aggregate(aggregate)) == list(range(1, 9))


def test_a_request_of_forty_aggregates_is_recognised(store: Subject) -> None:
    request = [event(new_id(), 1, n=n) for n in range(AGGREGATES_OF_A_REQUEST)]
    stored = store.store(*request, request_id="of forty")

    assert same(store.store(*request, request_id="of forty"), stored)


def test_metadata_that_is_the_same_value_is_recognised(store: Subject) -> None:
    aggregate = new_id()
    stored = store.store(event(aggregate, 1, a=1, b=[0.0, {"x": None, "y": 1e3}]), request_id=aggregate)

    again = store.store(event(aggregate, 1, b=[0, {"y": 1000, "x": None}], a=1.0), request_id=aggregate)

    assert same(again, stored)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"metadata": {"n": 2}}, id="other metadata"),
        pytest.param({"metadata": {"n": "1"}}, id="metadata of another type"),
        pytest.param({"metadata": {"n": True}}, id="true for 1"),
        pytest.param({"eventType": "MONEY_WITHDRAWN"}, id="other type"),
        pytest.param({"eventVersion": 2}, id="other event version"),
    ],
)
def test_other_events_under_the_same_request_id_are_a_conflict(store: Subject, changed: Event) -> None:
    aggregate = new_id()
    store.store(event(aggregate, 1, n=1), request_id=aggregate)

    answer = store.try_to_store({**event(aggregate, 1, n=1), **changed}, request_id=aggregate)

    assert_conflict(answer, aggregate, expected=0, current=1)
    assert store.aggregate(aggregate)[0]["metadata"] == {"n": 1}


def test_equal_events_under_another_request_id_are_a_conflict(store: Subject) -> None:
    aggregate = new_id()
    store.store(event(aggregate, 1), request_id=new_id())

    answer = store.try_to_store(event(aggregate, 1), request_id=new_id())

    assert_conflict(answer, aggregate, expected=0, current=1)


def test_a_repetition_without_request_id_is_a_conflict(store: Subject) -> None:
    with_id, without = new_id(), new_id()
    store.store(event(with_id, 1), request_id=with_id)
    store.store(event(without, 1))

    assert_conflict(store.try_to_store(event(with_id, 1)), with_id, expected=0, current=1)
    assert_conflict(store.try_to_store(event(without, 1)), without, expected=0, current=1)
    assert_conflict(store.try_to_store(event(without, 1), request_id=without), without, expected=0, current=1)


def test_a_part_of_a_request_under_its_id_is_a_conflict(store: Subject) -> None:
    ann, josh = new_id(), new_id()
    store.store(event(ann, 1), event(josh, 1), request_id=ann)

    assert_conflict(store.try_to_store(event(ann, 1), request_id=ann), ann, expected=0, current=1)
    assert_conflict(store.try_to_store(event(josh, 1), request_id=ann), josh, expected=0, current=1)


def test_more_than_a_request_under_its_id_is_a_conflict(store: Subject) -> None:
    ann, josh = new_id(), new_id()
    store.store(event(ann, 1), request_id=ann)

    assert_conflict(store.try_to_store(event(ann, 1), event(ann, 2), request_id=ann), ann, expected=0, current=1)
    assert_conflict(store.try_to_store(event(josh, 1), event(ann, 1), request_id=ann), ann, expected=0, current=1)
    assert versions(store.aggregate(ann)) == [1]
    assert store.aggregate(josh) == []


def test_a_request_in_another_order_under_its_id_is_a_conflict(store: Subject) -> None:
    ann, josh = new_id(), new_id()
    store.store(event(ann, 1), event(josh, 1), request_id=ann)

    assert_conflict(store.try_to_store(event(josh, 1), event(ann, 1), request_id=ann), josh, expected=0, current=1)


def test_two_requests_under_one_id_joined_to_one_are_a_conflict(store: Subject) -> None:
    ann, josh = new_id(), new_id()
    store.store(event(ann, 1), request_id=ann)
    store.store(event(josh, 1), request_id=ann)

    assert_conflict(store.try_to_store(event(ann, 1), event(josh, 1), request_id=ann), ann, expected=0, current=1)


def test_a_request_id_used_again_for_the_next_versions_stores_them(store: Subject) -> None:
    aggregate = new_id()
    for version in (1, 2, 3):
        store.store(event(aggregate, version), request_id="the same one")

    assert versions(store.aggregate(aggregate)) == [1, 2, 3]


def test_of_eight_simultaneous_repetitions_one_is_stored_and_all_are_told_so(store: Subject) -> None:
    aggregate = new_id()
    request = history(aggregate, 3)

    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: store.store(*request, request_id=aggregate), range(8)))

    assert versions(store.aggregate(aggregate)) == [1, 2, 3]
    assert all(same(answer, answers[0]) for answer in answers)


def same(events: list[Event], others: list[Event]) -> bool:
    """Whether these are the same stored events. An offset may become known later."""
    known = [{name: value for name, value in event.items() if name != "offset"} for event in (*events, *others)]
    return known[: len(events)] == known[len(events) :] and len(events) == len(others)


def assert_conflict(answer: Event, aggregate: str, *, expected: int, current: int) -> None:
    assert "error" in answer, answer
    told = {name: value for name, value in answer["error"].items() if name != "message"}
    assert told == {
        "code": "VersionConflict",
        "aggregateId": aggregate,
        "expectedVersion": expected,
        "currentVersion": current,
    }

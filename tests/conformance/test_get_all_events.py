"""The contract of get_all_events: every event once, in one order, from an offset on."""

from typing import Any

import pytest

from lambdas.eventstore.limits import EVENT_BYTES, PAGE_BYTES
from testkit.examples import Event, bare, event, history, new_id, versions
from testkit.large import size, store_large
from testkit.subjects import Subject


def test_an_empty_log_is_an_empty_page_without_next(fresh: Subject) -> None:
    assert fresh.call("get_all_events") == {"events": [], "next": None, "hasMore": False}


def test_reading_on_from_next_begins_at_the_start_of_an_empty_log(fresh: Subject) -> None:
    first = fresh.call("get_all_events")
    stored = fresh.store(event(new_id(), 1))
    fresh.drain()

    read = fresh.call("get_all_events", after=first["next"])

    if fresh.guarantees["read_all"] == "strong":
        assert [event["eventId"] for event in read["events"]] == [event["eventId"] for event in stored]
    assert fresh.call("get_all_events", after=None) == fresh.call("get_all_events")


def test_every_event_comes_once_as_it_was_stored(store: Subject) -> None:
    ann, josh, after = new_id(), new_id(), store.log_end()
    stored = [
        *store.store(event(ann, 1, n=1), event(josh, 1, n=2)),
        *store.store(*(event(ann, n - 1, n=n) for n in (3, 4, 5))),
    ]

    read = store.log_of(ann, josh, count=5, after=after)

    assert sorted(bare(read), key=by_n) == sorted(bare(stored), key=by_n)
    assert sorted(event["eventId"] for event in read) == sorted(event["eventId"] for event in stored)


def test_within_an_aggregate_the_order_follows_the_versions(store: Subject) -> None:
    ann, josh, after = new_id(), new_id(), store.log_end()
    for version in range(1, 16):
        store.store(event(ann, version), event(josh, version))

    read = store.log_of(ann, josh, count=30, after=after)

    for aggregate in (ann, josh):
        assert versions([event for event in read if event["aggregateId"] == aggregate]) == list(range(1, 16))


def test_every_event_has_an_offset_of_its_own(store: Subject) -> None:
    aggregate, after = new_id(), store.log_end()
    store.store(*history(aggregate, 20))

    read = store.log_of(aggregate, count=20, after=after)

    assert len({event["offset"] for event in read}) == 20


def test_an_offset_told_elsewhere_is_the_one_in_the_log(store: Subject) -> None:
    aggregate, after = new_id(), store.log_end()
    stored = store.store(*history(aggregate, 3))
    in_log = {event["eventId"]: event["offset"] for event in store.log_of(aggregate, count=3, after=after)}

    for told in (*stored, *store.aggregate(aggregate)):
        assert told.get("offset", in_log[told["eventId"]]) == in_log[told["eventId"]]


def test_after_is_exclusive(store: Subject) -> None:
    aggregate, after = new_id(), store.log_end()
    store.store(*history(aggregate, 5))
    read = store.log_of(aggregate, count=5, after=after)

    for index, passed in enumerate(read):
        behind = store.log_of(aggregate, count=4 - index, after=passed["offset"])
        assert versions(behind) == list(range(index + 2, 6))


def test_next_is_the_offset_of_the_last_event(store: Subject) -> None:
    aggregate, after = new_id(), store.log_end()
    store.store(*history(aggregate, 3))
    store.log_of(aggregate, count=3, after=after)

    for limit in (1, 2, 1000):
        page = store.page(after, limit)
        assert page["next"] == page["events"][-1]["offset"]


def test_next_echoes_after_when_there_is_nothing_new(fresh: Subject) -> None:
    aggregate = new_id()
    fresh.store(*history(aggregate, 2))
    end = fresh.log_of(aggregate, count=2, after=None)[-1]["offset"]

    assert fresh.call("get_all_events", after=end) == {"events": [], "next": end, "hasMore": False}


@pytest.mark.parametrize(("limit", "expected"), [(1, 1), (4, 4), (5, 5), (6, 5)])
def test_a_page_has_up_to_limit_events_and_says_whether_there_are_more(
    fresh: Subject, limit: int, expected: int
) -> None:
    aggregate = new_id()
    fresh.store(*history(aggregate, 5))
    fresh.log_of(aggregate, count=5, after=None)

    page = fresh.page(None, limit)

    assert versions(page["events"]) == list(range(1, expected + 1))
    assert page["hasMore"] is (expected < 5)


def test_a_page_has_100_events_unless_told_otherwise(fresh: Subject) -> None:
    aggregates = [new_id() for _ in range(3)]
    for aggregate in aggregates:
        fresh.store(*history(aggregate, 34))
    fresh.log_of(*aggregates, count=102, after=None)

    page = fresh.call("get_all_events")

    assert (len(page["events"]), page["hasMore"]) == (100, True)


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_pages_together_are_the_whole_log(fresh: Subject, limit: int) -> None:
    aggregates = [new_id() for _ in range(5)]
    for aggregate in aggregates:
        fresh.store(*history(aggregate, 3))
    whole = fresh.log_of(*aggregates, count=15, after=None)

    assert fresh.tail(None, limit)[0] == whole
    assert len(whole) == 15


def test_a_reader_that_follows_next_while_events_are_stored_sees_each_once(store: Subject) -> None:
    aggregate, place, seen = new_id(), store.log_end(), list[int]()
    for version in range(1, 10):
        store.store(event(aggregate, version))
        page = store.page(place, 2)
        place, seen = page["next"], seen + versions([e for e in page["events"] if e["aggregateId"] == aggregate])

    assert seen + versions(store.log_of(aggregate, count=9 - len(seen), after=place)) == list(range(1, 10))


def test_a_page_of_large_events_stops_before_5_mb(store: Subject) -> None:
    aggregate, after, count = new_id(), store.log_end(), PAGE_BYTES // EVENT_BYTES + 5
    store_large(store, aggregate, count)
    whole = store.log_of(aggregate, count=count, after=after)

    page = store.page(after, 1000)

    assert versions(whole) == list(range(1, count + 1))
    assert size(page["events"]) < PAGE_BYTES
    assert page["hasMore"] is True


@pytest.mark.parametrize(
    "strange", [" ", "no offset", "-1", "1.5", "٣", "0x10", "'", "a" * 256, "1" * 40, "\U0001f600", "null"]
)
def test_what_is_no_offset_of_the_store_is_refused(store: Subject, strange: str) -> None:
    assert_refused(store.call("get_all_events", after=strange), "/after")


def by_n(event: Event) -> int:
    return int(event["metadata"]["n"])


def assert_refused(answer: dict[str, Any], path: str) -> None:
    assert answer["error"]["code"] == "InvalidRequest", answer
    assert answer["error"]["path"] == path

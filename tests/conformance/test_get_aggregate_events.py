"""The contract of get_aggregate_events: one aggregate, in version order, page by page."""

import pytest

from lambdas.eventstore.limits import EVENT_BYTES, PAGE_BYTES
from testkit.examples import bare, event, history, new_id, versions
from testkit.large import size, store_large
from testkit.subjects import Subject

NARROWEST_PAGE = 1_000_000
"""What any pattern must be able to answer with. The Data API carries 1 MiB."""


def test_an_unknown_aggregate_is_an_empty_page(store: Subject) -> None:
    assert store.call("get_aggregate_events", aggregateId=new_id()) == {"events": [], "nextVersion": None}


def test_events_come_in_version_order_as_they_were_stored(store: Subject) -> None:
    aggregate = new_id()
    requested = history(aggregate, 12, name="Åsa")
    stored = [event for start in (0, 5, 6) for event in store.store(*requested[start : {0: 5, 5: 6, 6: 12}[start]])]

    read = store.call("get_aggregate_events", aggregateId=aggregate)["events"]

    assert bare(read) == requested
    assert [event["eventId"] for event in read] == [event["eventId"] for event in stored]


def test_an_aggregate_holds_no_events_of_another(store: Subject) -> None:
    aggregate = new_id()
    lookalikes = [f"{aggregate}0", aggregate[:-1], aggregate.upper() + "x", f"{aggregate}#1"]
    store.store(event(aggregate, 1), *(event(other, 1) for other in lookalikes))

    assert [read["aggregateId"] for read in store.aggregate(aggregate)] == [aggregate]


@pytest.mark.parametrize(("start", "expected"), [(1, [1, 2, 3]), (2, [2, 3]), (3, [3]), (4, []), (2**53 - 1, [])])
def test_reading_starts_at_from_version(store: Subject, start: int, expected: list[int]) -> None:
    aggregate = new_id()
    store.store(*history(aggregate, 3))

    page = store.call("get_aggregate_events", aggregateId=aggregate, fromVersion=start)

    assert versions(page["events"]) == expected
    assert page["nextVersion"] is None


@pytest.mark.parametrize(
    ("limit", "expected", "following"),
    [(1, [1], 2), (4, [1, 2, 3, 4], 5), (5, [1, 2, 3, 4, 5], None), (6, [1, 2, 3, 4, 5], None)],
)
def test_a_page_has_up_to_limit_events_and_says_whether_there_are_more(
    store: Subject, limit: int, expected: list[int], following: int | None
) -> None:
    aggregate = new_id()
    store.store(*history(aggregate, 5))

    page = store.call("get_aggregate_events", aggregateId=aggregate, limit=limit)

    assert versions(page["events"]) == expected
    assert page["nextVersion"] == following


def test_a_page_has_100_events_unless_told_otherwise(store: Subject) -> None:
    aggregate = new_id()
    for first in (1, 41, 81):
        store.store(*history(aggregate, 40 if first < 81 else 21, first=first))

    page = store.call("get_aggregate_events", aggregateId=aggregate)

    assert versions(page["events"]) == list(range(1, 101))
    assert page["nextVersion"] == 101


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_pages_together_are_the_whole_aggregate(store: Subject, limit: int) -> None:
    aggregate = new_id()
    store.store(*history(aggregate, 15))

    read, following = [], 1
    while following:
        page = store.call("get_aggregate_events", aggregateId=aggregate, fromVersion=following, limit=limit)
        read += versions(page["events"])
        following = page["nextVersion"]

    assert read == list(range(1, 16))


def test_a_page_of_large_events_stops_before_5_mb(store: Subject) -> None:
    aggregate, count = new_id(), PAGE_BYTES // EVENT_BYTES + 5
    store_large(store, aggregate, count)

    page = store.call("get_aggregate_events", aggregateId=aggregate, limit=1000)

    assert NARROWEST_PAGE - 2 * EVENT_BYTES < size(page["events"]) < PAGE_BYTES
    assert page["nextVersion"] == len(page["events"]) + 1
    assert versions(store.aggregate(aggregate)) == list(range(1, count + 1))

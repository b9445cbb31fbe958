"""The contract's own rules: conflicts, digests, the pages, the oracle."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.eventstore import Append, InvalidRequest, NewEvent, StoredEvent, VersionConflict, pages
from lambdas.eventstore.memory import MemoryEventStore
from testkit.strategies import METADATA


def new(aggregate: str, version: int, metadata: dict[str, Any] | None = None) -> NewEvent:
    return NewEvent(aggregate, version, "TYPE", 1, metadata or {})


def append(*events: tuple[str, int]) -> Append:
    return Append(tuple(new(aggregate, version) for aggregate, version in events))


CURRENT = {"a": 2, "b": 0}


@pytest.mark.parametrize(
    "fitting",
    [[("a", 3)], [("b", 1)], [("a", 3), ("a", 4)], [("a", 3), ("b", 1), ("a", 4), ("b", 2)], [("c", 1), ("c", 2)]],
)
def test_events_that_follow_what_is_stored_are_no_conflict(fitting: list[tuple[str, int]]) -> None:
    assert append(*fitting).conflict(lambda aggregate: CURRENT.get(aggregate, 0)) is None


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ([("a", 2)], ("a", 1, 2)),
        ([("a", 4)], ("a", 3, 2)),
        ([("b", 2)], ("b", 1, 0)),
        ([("a", 3), ("b", 2), ("a", 4)], ("b", 1, 0)),
        ([("b", 1), ("a", 1), ("b", 2)], ("a", 0, 2)),
    ],
)
def test_a_conflict_names_the_first_event_that_does_not_follow(
    named: list[tuple[str, int]], told: tuple[str, int, int]
) -> None:
    conflict = append(*named).conflict(lambda aggregate: CURRENT.get(aggregate, 0))

    assert conflict
    assert (conflict.aggregate_id, conflict.expected_version, conflict.current_version) == told


@pytest.mark.parametrize(
    ("named", "path"),
    [
        ([("a", 1), ("a", 1)], "/events/1"),
        ([("a", 1), ("a", 3)], "/events/1"),
        ([("a", 2), ("a", 1)], "/events/1"),
        ([("a", 3), ("b", 7), ("a", 5)], "/events/2"),
        ([("a", 3), ("b", 7), ("a", 4), ("b", 8), ("b", 8)], "/events/4"),
    ],
)
def test_versions_of_an_aggregate_follow_one_another_within_a_request(named: list[tuple[str, int]], path: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        append(*named)
    assert refusal.value.path == path


def test_a_refusal_reads_the_same_when_it_has_come_over_the_wire() -> None:
    for path in ("/events/1", "", "/events/0/metadata/" + "x" * 1_000):
        refusal = InvalidRequest(path, "is not what it should be: change it")
        returned = InvalidRequest.from_wire(refusal.to_wire())
        assert (returned.path, str(returned)) == (refusal.path, str(refusal))


def test_what_a_request_expects_is_the_version_before_its_first_of_each_aggregate() -> None:
    assert append(("b", 1), ("a", 3), ("a", 4)).expected == {"b": 0, "a": 2}


EQUAL = [({"a": 1, "b": [2]}, {"b": [2.0], "a": 1.0}), ({"n": -0.0}, {"n": 0}), ({"n": 1e3}, {"n": 1000})]
DIFFERENT = [
    ({"n": 1}, {"n": True}),
    ({"n": 0}, {"n": False}),
    ({"n": 0}, {"n": None}),
    ({"n": 1}, {"n": "1"}),
    ({"n": []}, {"n": {}}),
    ({"n": [1, 2]}, {"n": [2, 1]}),
    ({"n": 0.1}, {"n": 0.1 + 2**-56}),
    ({"é": 1}, {"e\u0301": 1}),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal_values_have_equal_digests(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert Append((new("a", 1, one),)).digest == Append((new("a", 1, other),)).digest


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_values_have_different_digests(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert Append((new("a", 1, one),)).digest != Append((new("a", 1, other),)).digest


def test_the_digest_tells_apart_order_number_and_every_field_of_events() -> None:
    first, second = new("a", 1), new("b", 1)
    variants = [
        (first, second),
        (second, first),
        (first,),
        (NewEvent("a", 1, "OTHER", 1, {}), second),
        (NewEvent("a", 1, "TYPE", 2, {}), second),
        (NewEvent("a", 2, "TYPE", 1, {}), second),
    ]
    assert len({Append(events).digest for events in variants}) == len(variants)


@given(METADATA)
def test_the_digest_survives_the_way_through_json(metadata: dict[str, Any]) -> None:
    there_and_back = json.loads(json.dumps(metadata))
    assert Append((new("a", 1, metadata),)).digest == Append((new("a", 1, there_and_back),)).digest


def stored(version: int, text: str = "") -> StoredEvent:
    return StoredEvent("a", version, "TYPE", 1, {"text": text}, "0" * 27, str(version))


@given(st.integers(0, 12), st.integers(1, 12))
def test_a_page_has_up_to_limit_events_and_knows_of_one_more(count: int, limit: int) -> None:
    events = [stored(n) for n in range(count)]

    assert pages.take(iter(events), limit) == (events[:limit], count > limit)


@given(st.lists(st.integers(0, 400), max_size=12), st.integers(300, 1500))
def test_a_page_stops_before_its_bytes_but_never_before_its_first_event(sizes: list[int], most: int) -> None:
    events = [stored(n, "é" * size) for n, size in enumerate(sizes)]

    page, more = pages.take(iter(events), 1000, most)

    escaped = len(json.dumps([event.to_wire() for event in page]))
    assert len(page) <= 1 or escaped <= most + 2
    assert page == events[: len(page)]
    assert more is (len(page) < len(events))
    assert page or not events


def test_a_page_draws_one_event_more_than_it_returns_and_no_further() -> None:
    drawn = []
    events = (drawn.append(n) or stored(n) for n in range(100))  # type: ignore[func-returns-value]

    pages.take(events, 5)

    assert len(drawn) == 6


def test_the_oracle_numbers_its_events_without_holes() -> None:
    store = MemoryEventStore()
    store.store_events(append(("a", 1), ("b", 1)))
    with pytest.raises(VersionConflict):
        store.store_events(append(("c", 1), ("a", 1)))
    store.store_events(append(("a", 2)))

    assert [event.offset for event in store.get_all_events(None, 10).events] == ["1", "2", "3"]


def test_a_stored_event_survives_the_way_through_the_wire() -> None:
    event = stored(1, "text")
    unplaced = StoredEvent("a", 1, "TYPE", 1, {}, "0" * 27)

    assert StoredEvent.from_wire(event.to_wire()) == event
    assert StoredEvent.from_wire(unplaced.to_wire()) == unplaced
    assert "offset" not in unplaced.to_wire()
    assert unplaced.at("7") == StoredEvent("a", 1, "TYPE", 1, {}, "0" * 27, "7")

"""A sharded index gives the same log as one shard: every event once, in the order of the ids, from any offset on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from testkit.examples import Event, event, history, new_id, versions
from testkit.harness import Harness, HarnessFor
from testkit.subjects import InProcess, Subject
from tests.conformance import test_get_all_events as contract
from tools.discovery import containing

PATTERN = containing(__file__)

Open = Callable[[int], InProcess]
"""Opens the store of a test with a number of shards."""

AGGREGATES = 12


@pytest.fixture
def harness(harness_for: HarnessFor) -> Harness:
    return harness_for(PATTERN.name)


@pytest.fixture
def environment(harness: Harness) -> Iterator[dict[str, str]]:
    """Of an empty store."""
    environment = harness.fresh()
    yield environment
    harness.discard(environment)


@pytest.fixture
def with_shards(harness: Harness, environment: dict[str, str]) -> Open:
    def open_(shards: int) -> InProcess:
        sharded = {**environment, "SHARDS": str(shards)}
        return InProcess(harness.open(sharded), PATTERN.sheet, harness, sharded)

    return open_


@pytest.fixture
def store(with_shards: Open) -> Subject:
    return with_shards(4)


fresh = store

# The contract of get_all_events, held by a store with shards: these tests take the fixtures of this module.
globals().update({name: test for name, test in vars(contract).items() if name.startswith("test_")})


def fill(store: Subject) -> list[Event]:
    """Two events of each of several aggregates, stored for two aggregates at a time."""
    aggregates = [new_id() for _ in range(AGGREGATES)]
    pairs = list(zip(aggregates[::2], aggregates[1::2], strict=True))
    return [e for n in (1, 2) for a, b in pairs for e in store.store(event(a, n), event(b, n))]


@pytest.mark.parametrize("shards", [4, 64])
def test_the_log_is_merged_from_all_shards_in_the_order_of_ids(
    with_shards: Open, harness: Harness, environment: dict[str, str], shards: int
) -> None:
    stored = fill(with_shards(shards))

    read = with_shards(shards).log_of(*{e["aggregateId"] for e in stored}, count=len(stored), after=None)

    assert [e["eventId"] for e in read] == sorted(e["eventId"] for e in stored)
    assert len({item["TYPE"] for item in harness.items(environment["TABLE"])}) > 2


@pytest.mark.parametrize(("shards", "limit"), [(4, 1), (4, 5), (64, 1), (64, 7), (64, 100)])
def test_pages_of_any_size_are_the_whole_log(with_shards: Open, shards: int, limit: int) -> None:
    store = with_shards(shards)
    stored = fill(store)
    store.drain()

    pages, after, more = list[list[Event]](), None, True
    while more:
        page = store.page(after, limit)
        pages.append(page["events"])
        after, more = page["next"], page["hasMore"]

    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert [e["eventId"] for page in pages for e in page] == sorted(e["eventId"] for e in stored)


@pytest.mark.parametrize("shards", [4, 64])
def test_any_offset_is_a_place_in_all_shards(with_shards: Open, shards: int) -> None:
    store = with_shards(shards)
    fill(store)
    store.drain()
    whole, _ = store.tail(None)

    for index in (0, 7, len(whole) - 1):
        assert store.tail(whole[index]["offset"])[0] == whole[index + 1 :]


@pytest.mark.parametrize("shards", [4, 64])
def test_events_stored_before_the_index_was_sharded_stay_in_the_log(with_shards: Open, shards: int) -> None:
    aggregate = new_id()
    before = [*with_shards(1).store(*history(aggregate, 3)), *fill(with_shards(1))]
    store = with_shards(shards)
    after = [*store.store(*history(aggregate, 3, first=4)), *fill(store)]
    store.drain()

    whole, _ = store.tail(None)

    assert [e["eventId"] for e in whole] == sorted(e["eventId"] for e in (*before, *after))
    assert versions([e for e in whole if e["aggregateId"] == aggregate]) == [1, 2, 3, 4, 5, 6]
    assert store.tail(before[4]["eventId"])[0] == [e for e in whole if e["eventId"] > before[4]["eventId"]]


SHARDS_OF = {
    4: {"a": "EVENT_3", "4a009cfd-5ed5-4561-b654-53d812691cf2": "EVENT_1", "Åsa": "EVENT_0"},
    64: {"a": "EVENT_3", "4a009cfd-5ed5-4561-b654-53d812691cf2": "EVENT_21", "Åsa": "EVENT_36"},
}
"""By CRC-32 of the id. A store that computed another would not find its aggregates' events in the shards it knows."""


@pytest.mark.parametrize("shards", [4, 64])
def test_an_aggregate_always_has_the_same_shard(
    with_shards: Open, harness: Harness, environment: dict[str, str], shards: int
) -> None:
    for version in (1, 2):
        with_shards(shards).store(*(event(aggregate, version) for aggregate in SHARDS_OF[shards]))

    items = harness.items(environment["TABLE"])
    assert len(items) == 2 * len(SHARDS_OF[shards])
    assert {item["aggregateId"]: item["TYPE"] for item in items} == SHARDS_OF[shards]
    assert len({(item["aggregateId"], item["TYPE"]) for item in items}) == len(SHARDS_OF[shards])


@pytest.mark.parametrize("steps", [[1, 4, 64], [1, 2, 3, 4], [4, 64]])
def test_a_reader_that_follows_the_log_misses_nothing_while_shards_grow(with_shards: Open, steps: list[int]) -> None:
    """Readers learn of each new number before writers do, and writers of both numbers are at work for a while."""
    seen, stored = list[str](), list[str]()
    place = None
    for old, new in pairwise([steps[0], *steps]):
        for writing, reading in ((old, old), (old, new), (new, new), (old, new)):
            stored += [event["eventId"] for event in fill(with_shards(writing))]
            with_shards(reading).drain()
            events, place = with_shards(reading).tail(place)
            seen += [event["eventId"] for event in events]

    assert seen == sorted(seen)
    assert sorted(seen) == sorted(stored)


def test_a_reader_that_learns_of_more_shards_after_the_writer_passes_over_events(with_shards: Open) -> None:
    """Why readers have to learn first."""
    fill(with_shards(1))
    fill(with_shards(4))
    with_shards(4).drain()
    _, place = with_shards(1).tail(None)
    fill(with_shards(1))
    with_shards(4).drain()
    _, place = with_shards(1).tail(place)

    assert len(with_shards(4).tail(None)[0]) > len(with_shards(1).tail(None)[0])
    assert with_shards(4).tail(place)[0] == []

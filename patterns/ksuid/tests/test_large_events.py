"""An entry of the index takes one write unit: of a large event, it has the keys, and readers get the rest by them."""

import math
from collections.abc import Iterator

import pytest

from lambdas.eventstore.dynamodb.items import item_bytes
from testkit.aws_calls import Watch
from testkit.capacity import cost
from testkit.examples import bare, event, new_id
from testkit.harness import Harness, HarnessFor
from testkit.large import large_event
from testkit.subjects import InProcess
from tools.discovery import containing

PATTERN = containing(__file__)
KB = 1024


@pytest.fixture
def harness(harness_for: HarnessFor) -> Harness:
    return harness_for(PATTERN.name)


@pytest.fixture
def store(harness: Harness) -> Iterator[InProcess]:
    environment = harness.fresh()
    yield InProcess(harness.open(environment), PATTERN.sheet, harness, environment)
    harness.discard(environment)


@pytest.mark.parametrize("size", [600, 1.2 * KB, 4 * KB, 10 * KB])
def test_an_append_takes_the_units_of_its_item_and_one_for_the_index(
    store: InProcess, watch: Watch, size: float
) -> None:
    with watch.recording() as calls:
        store.store(large_event(new_id(), 1, int(size)))

    [put] = calls
    assert cost(calls).write_units == math.ceil(item_bytes(put.parameters["Item"]) / KB) + 1


def test_an_entry_fills_its_write_unit_to_the_last_byte(store: InProcess, watch: Watch) -> None:
    """One more byte of metadata, and it would take a second one."""
    units = {}
    for size in range(1000, 1016):
        with watch.recording() as calls:
            store.store(large_event(new_id(), 1, size))
        item = calls[0].parameters["Item"]
        units[item_bytes(item)] = "metadata" in item
        assert cost(calls).write_units == math.ceil(item_bytes(item) / KB) + 1

    small = [size for size, in_the_index in units.items() if in_the_index]
    assert max(small) == KB
    assert min(set(units) - set(small)) > KB


def test_all_events_come_whole_and_in_order_whatever_their_sizes(store: InProcess) -> None:
    sizes = [500, 2_000, 20_000, 600, 48 * KB, 1_500, 700]
    sent = [large_event(new_id(), 1, size) for size in sizes]
    for one in sent:
        store.store(one)
        store.drain()

    assert bare(store.tail(None)[0]) == sent
    for limit in (1, 2, 3):
        assert bare(store.tail(None, limit)[0]) == sent


def test_a_page_of_large_events_takes_one_request_more_for_each_hundred(store: InProcess, watch: Watch) -> None:
    aggregate = new_id()
    for first in range(1, 151, 30):
        store.store(*(large_event(aggregate, version, 2 * KB) for version in range(first, first + 30)))
    store.drain()

    with watch.recording() as calls:
        page = store.call("get_all_events", limit=149)
    assert len(page["events"]) == 149
    assert page["hasMore"]
    assert [call.operation for call in calls] == ["Query", "BatchGetItem", "BatchGetItem"]


def test_a_large_event_stored_twice_by_one_request_is_recognised(store: InProcess) -> None:
    large = large_event(new_id(), 1, 5 * KB)
    stored = store.store(large, request_id="once")

    assert store.store(large, request_id="once") == stored
    assert "error" in store.try_to_store(event(large["aggregateId"], 1), request_id="once")

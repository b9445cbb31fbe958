"""While a transaction commits, a Query or a BatchGetItem may see a part of its items: they are read-committed.

The emulator commits in one instant, so answers are made to lack an item here. Nothing may be skipped or refused for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.eventstore import wire
from lambdas.eventstore.retry import OutOfTime
from testkit.aws_calls import Call, Disturbance, Watch
from testkit.examples import history, new_id, versions
from testkit.subjects import InProcess

Item = dict[str, Any]
LARGE = "x" * 40_000


class NotYetVisible(Disturbance):
    """The first answer with items that `hides` lacks them."""

    def __init__(self, hides: Callable[[Item], bool], times: float = 1) -> None:
        self._hides, self._left = hides, times

    def after_answer(self, call: Call) -> None:
        lists = [call.answer.get("Items", []), *call.answer.get("Responses", {}).values()]
        if self._left and any(self._hides(item) for items in lists for item in items):
            self._left -= 1
            for items in lists:
                items[:] = [item for item in items if not self._hides(item)]


def at_version(*hidden: int) -> Callable[[Item], bool]:
    return lambda item: int(item.get("aggregateVersion", {"N": "0"})["N"]) in hidden


def test_a_page_of_the_log_waits_for_an_event_that_is_missing_before_another(
    fresh_store: InProcess, watch: Watch
) -> None:
    fresh_store.store(*history(new_id(), 5))
    with watch.recording(NotYetVisible(at_version(2, 3))) as calls:
        page = fresh_store.page(None, limit=10)

    assert [event["offset"] for event in page["events"]] == ["1", "2", "3", "4", "5"]
    assert len(calls) == 2


def test_the_end_of_the_log_is_where_the_last_visible_event_is(fresh_store: InProcess, watch: Watch) -> None:
    fresh_store.store(*history(new_id(), 5))
    with watch.recording(NotYetVisible(at_version(4, 5))):
        page = fresh_store.page(None, limit=10)

    assert (versions(page["events"]), page["next"], page["hasMore"]) == ([1, 2, 3], "3", False)
    assert versions(fresh_store.page("3", limit=10)["events"]) == [4, 5]


def test_a_large_event_that_the_log_refers_to_is_waited_for(fresh_store: InProcess, watch: Watch) -> None:
    fresh_store.store(*history(new_id(), 3, text=LARGE))
    with watch.recording(NotYetVisible(lambda item: "metadata" in item and at_version(2)(item))):
        page = fresh_store.page(None, limit=10)

    assert versions(page["events"]) == [1, 2, 3]


def test_an_append_behind_one_that_is_partly_visible_takes_the_position_after_its_last(
    fresh_store: InProcess, watch: Watch, log: Callable[[], list[Item]]
) -> None:
    fresh_store.store(*history(new_id(), 3))
    second = log()[1]

    class SeesTwo(Disturbance):
        def after_answer(self, call: Call) -> None:
            if call.operation == "Query":
                call.answer["Items"] = [second]

    with watch.recording(SeesTwo()):
        [stored] = fresh_store.store(*history(new_id(), 1))

    assert stored["offset"] == "4"
    assert [event["offset"] for event in fresh_store.tail(None)[0]] == ["1", "2", "3", "4"]


def test_a_page_of_an_aggregate_waits_for_a_version_that_is_missing_before_another(
    fresh_store: InProcess, watch: Watch
) -> None:
    aggregate = new_id()
    fresh_store.store(*history(aggregate, 5))
    with watch.recording(NotYetVisible(at_version(1, 3))):
        events = fresh_store.aggregate(aggregate)

    assert versions(events) == [1, 2, 3, 4, 5]


def test_a_repeated_request_that_sees_a_part_of_what_it_stored_is_recognised(
    fresh_store: InProcess, watch: Watch
) -> None:
    events = history(new_id(), 3)
    stored = fresh_store.store(*events, request_id="once")
    with watch.recording(NotYetVisible(at_version(2))):
        again = fresh_store.store(*events, request_id="once")

    assert again == stored


def test_an_event_that_stays_missing_is_a_failure_and_never_skipped(fresh_store: InProcess, watch: Watch) -> None:
    fresh_store.store(*history(new_id(), 5))
    lost = watch.recording(NotYetVisible(at_version(3), times=float("inf")))
    with lost, pytest.raises(OutOfTime, match="logPosition 3 is missing"):
        wire.answer(fresh_store.store_object, "get_all_events", {}, seconds=1.0)


def test_large_events_are_in_the_log_by_reference_and_read_back_whole(
    fresh_store: InProcess, watch: Watch, log: Callable[[], list[Item]]
) -> None:
    small, large = new_id(), new_id()
    fresh_store.store(*history(small, 1), *history(large, 2, text=LARGE), *history(small, 1, first=2))

    assert ["metadata" in entry for entry in log()] == [True, False, False, True]
    with watch.recording() as calls:
        events, _ = fresh_store.tail(None)
    assert [event["metadata"].get("text") for event in events] == [None, LARGE, LARGE, None]
    assert [call.operation for call in calls] == ["Query", "BatchGetItem"]

"""Reading the log: every event once, whatever its pages, the limit and the place to go on from"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.eventstore import ksuids
from lambdas.eventstore.dynamodb.paged_log import PAGE_BYTES, MissingPage, PositionTaken
from lambdas.eventstore.errors import InvalidRequest
from lambdas.eventstore.events import NewEvent, StoredEvent
from testkit.aws_calls import Watch
from tests.sequencer.model import Call
from tests.sequencer.world import ModelWorld, World


def events(number: int, text: str = "", first: int = 1) -> Iterator[StoredEvent]:
    for version, event_id in enumerate(ksuids.issue(number, 1_700_000_000), first):
        yield NewEvent("ann", version, "NOTED", 1, {"text": text}).stored(event_id)


def write(world: World, pages: list[int], text: str = "") -> list[StoredEvent]:
    """Pages with so many events each; answers with the events as they should be read."""
    log, position, written = world.open_log(), 1, []
    for size in pages:
        page = log.append(position, list(events(size, text, first=position)))
        assert len(page) == size
        written += [event.at(str(n)) for n, event in enumerate(page, position)]
        position += size
    return written


def delete_page(world: World, first: int) -> None:
    world.dynamodb.delete_item(TableName=world.log, Key={"part": {"S": "pages"}, "firstPosition": {"N": str(first)}})


@settings(deadline=None)
@given(pages=st.lists(st.integers(1, 7), max_size=8), limit=st.integers(1, 12))
def test_reading_on_yields_every_event_once_and_in_order(pages: list[int], limit: int) -> None:
    world = ModelWorld()
    written = write(world, pages)
    for after in range(len(written) + 1):
        page = world.open_log().read(str(after), limit)
        assert list(page.events) == written[after : after + limit]
        assert page.has_more is (after + limit < len(written))
        assert page.next == (page.events[-1].offset if page.events else str(after))


def test_an_empty_log_has_nothing_and_nowhere_to_go_on_from(emulated_world: World) -> None:
    page = emulated_world.open_log().read(None, 10)
    assert (list(page.events), page.next, page.has_more) == ([], None, False)


@pytest.mark.parametrize("length", [0, 3])
def test_a_reader_that_is_ahead_of_the_log_is_told_that_the_log_was_set_back(
    emulated_world: World, length: int
) -> None:
    write(emulated_world, [length] if length else [])
    with pytest.raises(InvalidRequest, match=f"beyond the end of the log, {length}: the log was set back") as refused:
        emulated_world.open_log().read(str(length + 1), 10)
    assert refused.value.path == "/after"


@pytest.mark.parametrize("after", ["3", "4", "5", "6", "7"])
def test_a_reader_that_has_seen_more_is_not_misled_by_it_when_the_log_is_set_back(after: str) -> None:
    world = ModelWorld()
    pages = [2, 3, 4]
    write(world, pages)
    log = world.open_log()
    log.read(None, 100)
    delete_page(world, 6)

    if int(after) > 5:
        with pytest.raises(InvalidRequest, match="beyond the end of the log, 5"):
            log.read(after, 10)
    else:
        assert [event.offset for event in log.read(after, 10).events] == [str(n) for n in range(int(after) + 1, 6)]


@pytest.mark.parametrize(("first", "last"), [(1, 2), (3, 5), (6, 9), (10, 11)])
@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_no_reader_jumps_over_a_page_that_is_missing_or_waits_for_it_for_ever(
    first: int, last: int, warm: bool, limit: int
) -> None:
    world = ModelWorld()
    written = write(world, [2, 3, 4, 2, 3])
    warm_log = world.open_log()
    warm_log.read(None, 100)
    delete_page(world, first)

    for start in range(len(written) + 1):
        after = str(start)
        read: list[StoredEvent] = []
        meets_it = start < last
        with pytest.raises(MissingPage, match="no event at position") if meets_it else nullcontext():
            while (page := (warm_log if warm else world.open_log()).read(after, limit)).events:
                read += page.events
                after = str(page.next)
        assert read == (written[start : start + len(read)] if meets_it else written[start:])
        assert not meets_it or start + len(read) <= max(start, first - 1)


def test_a_query_that_meets_the_page_after_next_before_the_next_one_is_asked_again(world: ModelWorld) -> None:
    """It passes the place of a page, the page is put and then the one behind it, and that one it meets."""
    written, answers = write(world, [2, 3, 4]), count()

    def overtaken(operation: str, call: Call) -> Any:
        answer = call()
        if operation == "query" and next(answers) == 1:
            answer["Items"] = answer["Items"][1:]
        return answer

    world.around = overtaken
    assert list(world.open_log().read(None, 8).events) == written[:8]
    assert next(answers) > 2


@pytest.mark.parametrize(
    ("after", "limit", "queries", "pages"),
    [
        (None, 1, 1, 1),
        ("250", 1, 2, 2),
        ("250", 49, 2, 2),
        ("250", 100, 3, 4),
        ("1000", 100, 1, 1),
        ("995", 10, 1, 1),
        ("940", 100, 3, 3),
    ],
)
def test_a_read_takes_no_more_pages_than_hold_what_was_asked_for(
    emulated_world: World, watch: Watch, after: str | None, limit: int, queries: int, pages: int
) -> None:
    write(emulated_world, [50] * 20)
    with watch.recording() as calls:
        emulated_world.open_log().read(after, limit)
    assert len(calls) == queries
    assert sum(call.answer["Count"] for call in calls) == pages


@pytest.mark.parametrize(
    ("after", "limit", "queries", "pages"), [("250", 49, 1, 1), ("250", 100, 2, 3), ("1000", 100, 1, 1)]
)
def test_a_process_that_knows_a_reader_to_be_behind_does_not_look_for_the_end(
    emulated_world: World, watch: Watch, after: str, limit: int, queries: int, pages: int
) -> None:
    write(emulated_world, [50] * 20)
    log = emulated_world.open_log()
    log.read("990", 1)
    with watch.recording() as calls:
        log.read(after, limit)
    assert len(calls) == queries
    assert sum(call.answer["Count"] for call in calls) == pages


def test_a_page_holds_as_many_events_as_fit_an_item_even_if_nothing_compresses(emulated_world: World) -> None:
    incompressible = "".join(chr(0x4E00 + (n * 7919) % 20000) for n in range(15_000))
    large = list(events(20, incompressible))

    page = emulated_world.open_log().append(1, large)

    assert 1 < len(page) < 20
    assert sum(len(event.metadata["text"].encode()) for event in page) < PAGE_BYTES
    assert list(emulated_world.open_log().page_at(1)) == [event.at(str(n)) for n, event in enumerate(page, 1)]


def test_a_position_is_given_once(emulated_world: World) -> None:
    written = write(emulated_world, [3])
    with pytest.raises(PositionTaken):
        emulated_world.open_log().append(1, list(events(5, "others")))
    assert list(emulated_world.open_log().read(None, 10).events) == written


def test_marks_never_go_back(emulated_world: World) -> None:
    log, page = emulated_world.open_log(), list(events(5))
    log.confirm(1, page)
    log.confirm(1, page[:2])
    assert log.checkpoint() == 5
    assert log.sequenced(["ann", "josh"]) == {"ann": 5, "josh": 0}

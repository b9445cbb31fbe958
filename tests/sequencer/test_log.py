"""Reading the log: every event once, whatever its pages, the limit and the place to go on from"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.eventstore import ksuids
from lambdas.eventstore.events import NewEvent, StoredEvent
from lambdas.eventstore.sequencing.log import PAGE_BYTES, PositionTaken
from testkit.aws_calls import Watch
from tests.sequencer.world import ModelWorld, World


def events(count: int, text: str = "", first: int = 1) -> Iterator[StoredEvent]:
    for version, event_id in enumerate(ksuids.issue(count, 1_700_000_000), first):
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


def test_a_reader_that_is_ahead_of_the_log_waits_where_it_is(emulated_world: World) -> None:
    write(emulated_world, [3])
    page = emulated_world.open_log().read("17", 10)
    assert (list(page.events), page.next, page.has_more) == ([], "17", False)


@pytest.mark.parametrize(
    ("after", "limit", "queries", "pages"),
    [
        (None, 1, 1, 1),
        ("250", 1, 1, 1),
        ("250", 49, 1, 1),
        ("250", 100, 2, 3),
        ("1000", 100, 1, 1),
        ("995", 10, 2, 1),
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

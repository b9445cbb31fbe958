"""What a projection's runner does with the log, with events that come late, and with those that cannot be applied."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import pytest

from lambdas.eventstore import Append, LogPage, NewEvent, StoredEvent
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.eventstore.retry import time_limit
from lambdas.projections import Item, Key, ReadModel, Runner
from lambdas.projections.read_model import STOPPED
from lambdas.projections.runner import MARGIN, Outdated
from testkit.projections import Tally, all_events, assert_tallied, entry_of
from testkit.schedules import clock_at

LATE_SECONDS = 10.0
NOW = 1_764_000_000.0


def store_events(store: MemoryEventStore, aggregate: str, count: int, first: int = 1) -> Sequence[StoredEvent]:
    events = [NewEvent(aggregate, version, "COUNTED", 1, {}) for version in range(first, first + count)]
    return store.store_events(Append(tuple(events)))


class LateStore(MemoryEventStore):
    """An event shows in the log once it is no longer `hidden`: at the place that its id gives it, as in ksuid."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        super().__init__(now)
        self.hidden: set[str] = set()

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        page = super().get_all_events(after, limit)
        shown = [event for event in page.events if event.event_id not in self.hidden]
        return LogPage(shown, shown[-1].offset if shown else after, page.has_more)


class Picky(Tally):
    """Refuses the second event of "josh" for as long as it is told to."""

    refuses = True

    def apply(self, event: StoredEvent, items: Mapping[Key, Item]) -> Mapping[Key, Item | None]:
        if self.refuses and (event.aggregate_id, event.aggregate_version) == ("josh", 2):
            raise KeyError("amount")
        return super().apply(event, items)


@pytest.fixture
def store() -> MemoryEventStore:
    return MemoryEventStore()


@pytest.mark.parametrize("late_seconds", [0.0, LATE_SECONDS])
def test_it_applies_each_event_once_over_many_pages_and_runs(
    model: ReadModel, store: MemoryEventStore, late_seconds: float
) -> None:
    for aggregate in range(30):
        store_events(store, f"a{aggregate}", 8)
    runner = Runner(store, model, Tally(), late_seconds=late_seconds)
    first = runner.run()
    assert (first.applied, first.lag_events, first.caught_up) == (240, 240, True)
    store_events(store, "a3", 5, first=9)

    again = Runner(store, model, Tally(), late_seconds=late_seconds).run()

    assert (again.applied, again.lag_events) == (5, 5)
    assert runner.run().applied == 0
    assert_tallied(model, all_events(store))


def test_it_ends_within_its_time_and_the_next_run_goes_on(model: ReadModel, store: MemoryEventStore) -> None:
    for aggregate in range(3):
        store_events(store, f"a{aggregate}", 40)

    class Slow(MemoryEventStore):
        def get_all_events(self, after: str | None, limit: int) -> LogPage:
            seconds.append(MARGIN / 2)
            return store.get_all_events(after, limit)

    seconds: list[float] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lambdas.projections.runner.seconds_left", lambda: MARGIN + 1 - sum(seconds))
        progress = Runner(Slow(), model, Tally()).run()
    assert (progress.applied, progress.caught_up) == (100, False)
    with time_limit(MARGIN + 30):
        assert Runner(store, model, Tally()).run().caught_up
    assert_tallied(model, all_events(store))


def test_only_wanted_types_are_applied_and_the_checkpoint_moves_over_the_others(
    model: ReadModel, store: MemoryEventStore
) -> None:
    class Opened(Tally):
        event_types = frozenset({"OPENED"})

    store.store_events(Append((NewEvent("a", 1, "OPENED", 1, {}), NewEvent("a", 2, "COUNTED", 1, {}))))
    assert Runner(store, model, Opened()).run().applied == 1
    checkpoint = model.checkpoint(1)
    assert checkpoint
    assert checkpoint.offset == "2"
    assert_tallied(model, all_events(store)[:1])


def test_an_event_that_shows_late_is_applied_when_it_shows(model: ReadModel) -> None:
    store = LateStore()
    [late] = store_events(store, "josh", 1)
    store_events(store, "ann", 1)
    store.hidden = {late.event_id}
    assert Runner(store, model, Tally(), late_seconds=LATE_SECONDS).run().applied == 1
    store.hidden = set()

    assert Runner(store, model, Tally(), late_seconds=LATE_SECONDS).run().applied == 1

    assert_tallied(model, all_events(store))


@pytest.mark.parametrize(("late", "missed"), [(9.0, False), (11.0, True)])
def test_an_event_is_missed_only_if_it_is_later_than_the_bound_and_then_until_the_next_of_its_aggregate(
    model: ReadModel, late: float, missed: bool
) -> None:
    store = LateStore(now=lambda: NOW)
    events = [*store_events(store, "josh", 1), *store_events(store, "ann", 1)]
    store.hidden = {events[0].event_id}
    for seconds in (0.0, 5.0, late):
        with clock_at(NOW + seconds):
            Runner(store, model, Tally(), late_seconds=LATE_SECONDS).run()
    store.hidden = set()
    with clock_at(NOW + late):
        Runner(store, model, Tally(), late_seconds=LATE_SECONDS).run()

    assert_tallied(model, [event for event in events if not missed or event.aggregate_id == "ann"])

    store_events(store, "josh", 1, first=2)
    with clock_at(NOW + 3600):
        Runner(store, model, Tally(), late_seconds=LATE_SECONDS).run()
    assert_tallied(model, all_events(store))


def test_an_event_it_cannot_take_stops_it_where_everybody_sees_why(model: ReadModel, store: MemoryEventStore) -> None:
    store_events(store, "josh", 1)
    store_events(store, "ann", 1)
    store_events(store, "josh", 2, first=2)
    events = all_events(store)

    progress = Runner(store, model, Picky()).run()

    assert progress.status == STOPPED
    assert progress.stop == {
        "aggregateId": "josh",
        "aggregateVersion": 2,
        "eventId": events[2].event_id,
        "eventType": "COUNTED",
        "offset": "3",
        "reason": "KeyError: 'amount'",
    }
    checkpoint = model.checkpoint(1)
    assert checkpoint
    assert (checkpoint.status, checkpoint.stop, checkpoint.offset) == (STOPPED, progress.stop, "2")
    assert_tallied(model, events[:2])
    later = Runner(store, model, Tally()).run()
    assert (later.status, later.applied, later.caught_up, later.lag_events) == (STOPPED, 0, False, 1)


@pytest.mark.parametrize("late_seconds", [0.0, LATE_SECONDS])
@pytest.mark.parametrize("skip", [True, False])
def test_it_goes_on_behind_the_event_or_tries_it_again_as_it_is_told(
    model: ReadModel, store: MemoryEventStore, skip: bool, late_seconds: float
) -> None:
    store_events(store, "josh", 3)
    store_events(store, "ann", 1)
    projection = Picky()
    runner = Runner(store, model, projection, late_seconds=late_seconds)
    assert runner.run().status == STOPPED
    assert not skip or runner.go_on(skip=False)
    assert runner.run().status == STOPPED, "nothing has changed"

    projection.refuses = skip
    assert runner.go_on(skip=skip)
    assert not runner.go_on(skip=skip), "it runs"

    assert runner.run().caught_up
    assert runner.run().applied == 0
    skipped = ("josh", 2) if skip else None
    assert_tallied(
        model, [event for event in all_events(store) if (event.aggregate_id, event.aggregate_version) != skipped]
    )


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ({Key("a", str(n)): {} for n in range(100)}, "100 items"),
        ({Key("a", "b"): {"text": "x" * 400_001}}, "over the limit"),
        ({Key("a", str(n)): {"text": "x" * 390_000} for n in range(12)}, "12 items"),
        ({Key("a", "b"): {"partition": "c"}}, "attributes of the key"),
        ({Key("/a", "b"): {}}, "are the runner's"),
    ],
    ids=["many", "large", "large together", "name", "place"],
)
def test_what_no_transaction_can_hold_stops_it_too(
    model: ReadModel, store: MemoryEventStore, items: dict[Key, Item], reason: str
) -> None:
    class Vast(Tally):
        def apply(self, event: StoredEvent, there: Mapping[Key, Item]) -> Mapping[Key, Item | None]:
            return items

    store_events(store, "josh", 1)
    progress = Runner(store, model, Vast()).run()
    assert progress.stop
    assert reason in progress.stop["reason"]


def test_it_removes_items_and_keeps_sums_of_any_size_exact(model: ReadModel, store: MemoryEventStore) -> None:
    class Sums(Tally):
        def apply(self, event: StoredEvent, items: Mapping[Key, Item]) -> Mapping[Key, Item | None]:
            total = items.get(entry_of(first), {"total": 10**17})["total"] + 1
            return {entry_of(first): {"total": total} if event.aggregate_version < 3 else None}

        def touches(self, event: StoredEvent) -> list[Key]:
            return [entry_of(first)]

    [first] = store_events(store, "josh", 1)
    store_events(store, "josh", 1, first=2)
    Runner(store, model, Sums()).run()
    assert model.get(entry_of(first)) == {"total": 10**17 + 2}
    store_events(store, "josh", 1, first=3)
    Runner(store, model, Sums()).run()
    assert model.get(entry_of(first)) is None


def test_another_version_touches_nothing(model: ReadModel, store: MemoryEventStore) -> None:
    class Newer(Tally):
        version = 2

    store_events(store, "josh", 1)
    Runner(store, model, Tally()).run()
    store_events(store, "josh", 1, first=2)
    with pytest.raises(Outdated, match="was built by version 1, and this is version 2"):
        Runner(store, model, Newer()).run()
    assert_tallied(model, all_events(store)[:1])


def test_a_query_lists_a_partition_page_by_page(model: ReadModel, store: MemoryEventStore) -> None:
    for name in "cab":
        store_events(store, name, 1)
    Runner(store, model, Tally()).run()
    one, after = model.page("tallies", None, 2)
    two, end = model.page("tallies", after, 2)
    assert [sort for sort, _ in one + two] == ["a", "b", "c"]
    assert (one[0][1], end) == ({"versions": [1]}, None)

"""Runners that overtake one another or are killed anywhere count each event once, and defects in them are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from lambdas.eventstore import EventStore, StoredEvent
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.projections import Checkpoint, Item, Key, ReadModel, Runner, runner
from testkit import faults
from testkit.aws_calls import Call, Disturbance, Watch
from testkit.faults import Fault
from testkit.projections import Tally, all_events, assert_tallied
from testkit.projections import read_model as empty_read_model
from testkit.trials import disturbed, numbers
from tests.projections.test_runner import LATE_SECONDS, LateStore, store_events

Make = Callable[[EventStore, ReadModel], Runner]


@pytest.fixture(autouse=True)
def small_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one page takes several."""
    monkeypatch.setattr(runner, "TRANSACTION_ITEMS", 6)


def right(store: EventStore, model: ReadModel) -> Runner:
    return Runner(store, model, Tally())


def right_with_late_events(store: EventStore, model: ReadModel) -> Runner:
    return Runner(store, model, Tally(), late_seconds=LATE_SECONDS)


RIGHT = pytest.mark.parametrize("make", [right, right_with_late_events])


@RIGHT
@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_a_fault_at_any_call_loses_and_repeats_nothing(watch: Watch, kind: type[Fault], make: Make) -> None:
    for number in numbers():
        if not survives(watch, kind(number), make):
            break
    assert number > 4, "there is more than one transaction"


def survives(watch: Watch, fault: Fault, make: Make) -> bool:
    """Whether there was a call for the fault to strike; fails if it did harm."""
    store = MemoryEventStore()
    with empty_read_model() as model:
        store_events(store, "josh", 4)
        store_events(store, "ann", 2)
        make(store, model).run()
        store_events(store, "ann", 2, first=3)
        store_events(store, "josh", 3, first=5)
        disturbed(watch, fault, make(store, model).run)
        assert make(store, model).run().caught_up
        assert_tallied(model, all_events(store))
    return fault.struck


class Overtaken(Disturbance):
    """Another runner does all that there is to do just before the call of that number."""

    def __init__(self, number: int, other: Callable[[], object]) -> None:
        self.number, self.other, self.struck = number, other, False

    def before_sending(self, call: Call, request: Any, send: Any) -> None:
        if call.number == self.number and not self.struck:
            self.struck = True
            self.other()


@RIGHT
def test_a_runner_that_is_overtaken_before_any_of_its_calls_repeats_nothing(watch: Watch, make: Make) -> None:
    for number in numbers():
        if not overtaken(watch, number, make):
            break
    assert number > 4, "there is more than one transaction"


def overtaken(watch: Watch, number: int, make: Make) -> bool:
    store = MemoryEventStore()
    with empty_read_model() as model:
        store_events(store, "josh", 3)
        make(store, model).run()
        store_events(store, "josh", 3, first=4)
        store_events(store, "ann", 2)
        overtaking = Overtaken(number, make(store, model).run)
        with watch.recording(overtaking):
            make(store, model).run()
        make(store, model).run()
        assert_tallied(model, all_events(store))
    return overtaking.struck


def late_and_missing(make: Make) -> None:
    """An event shows late, another not at all before the next one of its aggregate."""
    store = LateStore()
    with empty_read_model() as model:
        [first] = store_events(store, "ann", 1)
        [second] = store_events(store, "josh", 1)
        store_events(store, "eve", 1)
        store.hidden = {first.event_id, second.event_id}
        make(store, model).run()
        store.hidden = {second.event_id}
        store_events(store, "josh", 1, first=2)
        make(store, model).run()
        store.hidden = set()
        make(store, model).run()
        assert_tallied(model, all_events(store))


class ModelFirst(ReadModel):
    def commit(
        self, generation: int, old: Checkpoint | None, new: Checkpoint, items: Mapping[Key, Item | None] | None = None
    ) -> bool:
        for key, item in (items or {}).items():
            self._client.transact_write_items(TransactItems=[self._change(generation, key, item)])
        return super().commit(generation, old, new)


class CheckpointFirst(ReadModel):
    def commit(
        self, generation: int, old: Checkpoint | None, new: Checkpoint, items: Mapping[Key, Item | None] | None = None
    ) -> bool:
        if not super().commit(generation, old, new):
            return False
        for key, item in (items or {}).items():
            self._client.transact_write_items(TransactItems=[self._change(generation, key, item)])
        return True


class Unfenced(ReadModel):
    def _put(self, key: Key, values: Item, revision: int) -> dict[str, Any]:
        return {"TableName": self.name, "Item": super()._put(key, values, revision)["Item"]}


class IgnoresGaps(Runner):
    def _between(self, aggregate_id: str, first: int, last: int) -> Iterator[StoredEvent]:
        yield from ()


class IgnoresMarks(Runner):
    def _marks(self, wanted: Any, generation: int) -> dict[str, int]:
        return {event.aggregate_id: event.aggregate_version - 1 for event in reversed(wanted)}


class TrustsItsMemory(Runner):
    def _marks(self, wanted: Any, generation: int) -> dict[str, int]:
        return {event.aggregate_id: self._applied.get((generation, event.aggregate_id), 0) for event in wanted}


class SettlesAtOnce(Runner):
    def _settled(self, read: Sequence[StoredEvent], place: Any) -> str | None:
        return read[-1].offset if read else None


def with_model(kind: type[ReadModel]) -> Make:
    return lambda store, model: right(store, kind(model._client, model.name))


def with_runner(kind: type[Runner]) -> Make:
    return lambda store, model: kind(store, model, Tally(), late_seconds=LATE_SECONDS)


def under_faults(watch: Watch, make: Make) -> None:
    for number in numbers():
        if not survives(watch, faults.CrashAfter(number), make):
            return


def when_overtaken(watch: Watch, make: Make) -> None:
    for number in numbers():
        if not overtaken(watch, number, make):
            return


SCHEDULES: dict[str, Callable[[Watch, Make], None]] = {
    "faults": under_faults,
    "overtaking": when_overtaken,
    "late events": lambda watch, make: late_and_missing(make),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_schedule_finds_fault_with_what_is_right(watch: Watch, schedule: str) -> None:
    SCHEDULES[schedule](watch, right_with_late_events)


@pytest.mark.parametrize(
    ("make", "schedule"),
    [
        (with_model(CheckpointFirst), "faults"),
        (with_model(ModelFirst), "faults"),
        (with_model(Unfenced), "overtaking"),
        (with_runner(IgnoresGaps), "late events"),
        (with_runner(IgnoresMarks), "late events"),
        (with_runner(TrustsItsMemory), "faults"),
        (with_runner(SettlesAtOnce), "late events"),
    ],
    ids=[
        "checkpoint first",
        "model first",
        "unfenced",
        "ignores gaps",
        "ignores marks",
        "old marks",
        "settles at once",
    ],
)
def test_a_planted_defect_is_found(watch: Watch, make: Make, schedule: str) -> None:
    with pytest.raises(AssertionError):
        SCHEDULES[schedule](watch, make)

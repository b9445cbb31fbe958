"""A rebuild, killed anywhere and continued, while events keep coming: queries see a whole read model all the time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import boto3
import pytest

from lambdas.eventstore import StoredEvent
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.projections import Item, Key, ReadModel, Runner, runtime
from lambdas.projections.rebuild import rebuild
from testkit import faults
from testkit.aws_calls import Call, Disturbance, Watch
from testkit.projections import Tally, all_events, assert_tallied, tally_of
from testkit.projections import read_model as empty_read_model
from testkit.trials import disturbed, numbers
from tests.projections.test_runner import LATE_SECONDS, Picky, store_events

LATE = pytest.mark.parametrize("late_seconds", [0.0, LATE_SECONDS])


class Audience(Disturbance):
    """Before each call of the rebuild, an event is stored and projected, and a query reads what it asks for."""

    def __init__(self, store: MemoryEventStore, model: ReadModel, late_seconds: float) -> None:
        self._store, self._model, self._late = store, model, late_seconds
        self._looking, self.seen, self.calls = False, 2, 0

    def before_sending(self, call: Call, request: Any, send: Any) -> None:
        if self._looking:
            return
        self._looking = True
        self.calls += 1
        count = len(self._store.get_aggregate_events("josh", 1, 1000).events)
        store_events(self._store, "josh", 1, first=count + 1)
        Runner(self._store, self._model, Tally(), late_seconds=self._late).run()
        item = self._model.get(tally_of("josh"))
        assert item, "a query saw no read model"
        assert len(item["versions"]) >= self.seen, "a query saw less than one before"
        assert item["versions"] == list(range(1, len(item["versions"]) + 1)), "a query saw half a read model"
        self.seen = len(item["versions"])
        self._looking = False


@LATE
def test_no_query_sees_a_missing_or_older_model_while_events_keep_coming(
    model: ReadModel, watch: Watch, late_seconds: float
) -> None:
    store = MemoryEventStore()
    store_events(store, "josh", 2)
    store_events(store, "ann", 3)
    runner = Runner(store, model, Tally(), late_seconds=late_seconds)
    runner.run()
    audience = Audience(store, model, late_seconds)
    with watch.recording(audience):
        assert rebuild(runner).done
    assert audience.calls > 20
    runner.run()
    generations = model.generations()
    assert (generations.live, generations.building, generations.removing) == (2, None, None)
    assert_tallied(model, all_events(store), generation=2)
    assert partitions(model) == {"2", "checkpoints", "generations"}


def partitions(model: ReadModel) -> set[str]:
    items = boto3.client("dynamodb").scan(TableName=model.name, ConsistentRead=True)["Items"]
    return {item["partition"]["S"].partition("/")[0] for item in items}


@LATE
def test_a_rebuild_that_is_killed_at_any_call_is_continued(watch: Watch, late_seconds: float) -> None:
    for number in numbers():
        with empty_read_model() as model:
            store = MemoryEventStore()
            store_events(store, "josh", 2)
            store_events(store, "ann", 1)
            runner = Runner(store, model, Tally(), late_seconds=late_seconds)
            runner.run()
            fault = faults.CrashAfter(number)
            killed = Runner(store, model, Tally(), late_seconds=late_seconds)
            disturbed(watch, fault, partial(rebuild, killed))
            store_events(store, "josh", 1, first=3)
            Runner(store, model, Tally(), late_seconds=late_seconds).run()
            assert model.get(tally_of("josh")) in ({"versions": [1, 2]}, {"versions": [1, 2, 3]})

            done = rebuild(Runner(store, model, Tally(), late_seconds=late_seconds))

            assert done.done
            assert_tallied(model, all_events(store), generation=done.generation)
            assert partitions(model) == {str(done.generation), "checkpoints", "generations"}
        if not fault.struck:
            break
    assert number > 15


def test_a_rebuild_brings_another_version_of_the_code_in(model: ReadModel) -> None:
    class Newer(Tally):
        version = 2

        def apply(self, event: StoredEvent, items: Mapping[Key, Item]) -> Mapping[Key, Item | None]:
            return {tally_of(event.aggregate_id): {"newest": event.aggregate_version}}

    store = MemoryEventStore()
    store_events(store, "josh", 3)
    Runner(store, model, Tally()).run()
    assert rebuild(Runner(store, model, Newer())).done
    assert model.get(tally_of("josh")) == {"newest": 3}
    assert Runner(store, model, Newer()).run().caught_up


def test_a_rebuild_that_meets_an_event_it_cannot_take_leaves_the_live_one_in_use(model: ReadModel) -> None:
    store = MemoryEventStore()
    store_events(store, "josh", 3)
    Runner(store, model, Tally()).run()

    told = runtime.answer(Runner(store, model, Picky()), {"command": "rebuild"})

    assert (told["done"], told["status"], told["generation"]) == (False, "stopped", 2)
    store_events(store, "josh", 1, first=4)
    Runner(store, model, Tally()).run()
    assert model.get(tally_of("josh")) == {"versions": [1, 2, 3, 4]}


def test_a_runner_that_was_held_up_does_not_fill_a_generation_again_that_was_removed(model: ReadModel) -> None:
    store = MemoryEventStore()
    store_events(store, "josh", 1)
    runner = Runner(store, model, Tally())
    runner.run()
    rebuild(runner)
    assert runner.run(generation=1).applied == 0
    assert partitions(model) == {"2", "checkpoints", "generations"}

"""The checker: silent on every history that a correct store can produce, and never on one with a defect in it."""

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compare.history import checker
from compare.history.checker import STRICTEST, Anomaly, check
from compare.history.record import Call, Recorder, load, save
from lambdas.eventstore import wire
from lambdas.eventstore.memory import MemoryEventStore
from tests.compare.planted import PLANTED, Defect, Hides, ShowsAnEventLate, ShowsTheLogWithADelay
from tests.compare.simulation import Simulation

ADMITTING_MUCH = {"global_order": "clock", "read_all": "eventual", "late_events": True, "dense_offsets": False}


class Sound(Defect):
    """No defect at all."""


@settings(max_examples=200, deadline=None)
@given(random=st.randoms(use_true_random=False), clients=st.integers(1, 4), steps=st.integers(1, 15))
def test_no_history_of_a_correct_store_raises_an_alarm(random: Random, clients: int, steps: int) -> None:
    history = Simulation(Sound().answer, random, clients, aggregates=2, steps=steps).run()

    assert check(history) == []
    assert check(history, ADMITTING_MUCH, visible_within=5.0) == []


def test_the_simulated_histories_have_failures_conflicts_repeats_and_overlaps() -> None:
    history = Simulation(Sound().answer, Random(1), clients=4, steps=100).run()

    assert sum(call.failed for call in history) > 20
    assert sum(call.refused for call in history) > 20
    assert any(one.began < other.began < one.ended for one in history for other in history)
    identities = [call.request.get("requestId") for call in history if call.operation == "store_events"]
    assert len(set(identities)) < len(identities) - 10


@pytest.mark.parametrize("defect", PLANTED, ids=lambda defect: defect.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_a_planted_defect_turns_up_as_its_anomaly(defect: type[Defect], seed: int) -> None:
    history = Simulation(defect().answer, Random(seed), clients=4, steps=100).run()

    assert defect.shows_as in kinds(check(history, defect.breaks, visible_within=1000.0))


@pytest.mark.parametrize("defect", PLANTED, ids=lambda defect: defect.__name__)
def test_a_planted_defect_is_admitted_only_where_a_sheet_may_admit_it(defect: type[Defect]) -> None:
    history = Simulation(defect().answer, Random(7), clients=4, steps=100).run()

    for anomaly in check(history, ADMITTING_MUCH, visible_within=5.0):
        assert anomaly.admitted == (anomaly.kind in (checker.LATE, checker.STALE, checker.INVERTED, checker.GAPS)), (
            anomaly
        )
    assert not any(anomaly.admitted for anomaly in check(history, STRICTEST))


@pytest.mark.parametrize("defect", [ShowsAnEventLate, ShowsTheLogWithADelay])
@pytest.mark.parametrize("seed", range(3))
def test_a_store_that_keeps_to_a_weak_sheet_raises_no_alarm(defect: type[Hides], seed: int) -> None:
    store = defect()
    history = Simulation(store.answer, Random(seed), clients=4, steps=100, rest=store.rest).run()

    anomalies = check(history, ADMITTING_MUCH, visible_within=1000.0)

    assert anomalies
    assert all(anomaly.admitted for anomaly in anomalies), anomalies


def test_every_kind_of_anomaly_has_a_planted_defect() -> None:
    assert {defect.shows_as for defect in PLANTED} == set(checker.KINDS)


def test_an_event_seen_by_one_reader_and_lost_to_the_next_is_named_with_the_calls_that_prove_it() -> None:
    store = MemoryEventStore()
    recorder = Recorder(lambda operation, request: wire.answer(store, operation, request))
    writer, reader = recorder.client("writer"), recorder.client("reader")
    writer("store_events", {"events": [event("a", 1)]})
    reader("get_all_events", {})
    store._log.clear()
    reader("get_all_events", {})

    [anomaly] = check(recorder.calls)

    assert anomaly == Anomaly(checker.LOST, "a version 1: stored, and not in the log", (2,))


def test_an_eventual_reading_is_given_its_time_before_an_event_counts_as_lost() -> None:
    stored = wire.answer(MemoryEventStore(), "store_events", {"events": [event("a", 1)]})
    nothing: dict[str, Any] = {"events": [], "next": None, "hasMore": False}
    history = [
        Call("writer", "store_events", {"events": [event("a", 1)]}, 0, 1, stored),
        Call("reader", "get_all_events", {}, 5, 6, nothing),
    ]
    eventual = {**STRICTEST, "read_all": "eventual"}

    assert check(history, eventual, visible_within=10) == []
    assert kinds(check(history, eventual, visible_within=3)) == {checker.LOST}
    assert kinds(check(history, STRICTEST, visible_within=10)) == {checker.LOST}


def test_a_call_that_raises_is_recorded_and_its_exception_passes_through() -> None:
    def broken(operation: Any, request: Any) -> Any:
        raise ConnectionError

    recorder = Recorder(broken, clock=iter([1.0, 2.0]).__next__)
    with pytest.raises(ConnectionError):
        recorder.client("one")("get_all_events", {})

    assert recorder.calls == [Call("one", "get_all_events", {}, 1.0, 2.0, None)]


def test_a_history_survives_being_written_down(tmp_path: Any) -> None:
    history = Simulation(Sound().answer, Random(3)).run()
    save(history, tmp_path / "history.jsonl")

    assert load(tmp_path / "history.jsonl") == history


def kinds(anomalies: list[Anomaly]) -> set[str]:
    return {anomaly.kind for anomaly in anomalies}


def event(aggregate: str, version: int) -> dict[str, Any]:
    return {
        "aggregateId": aggregate,
        "aggregateVersion": version,
        "eventType": "HAPPENED",
        "eventVersion": 1,
        "metadata": {},
    }

"""Every AWS call that an operation makes, disturbed in every way, one at a time; then the caller's retry.

Nothing may be lost, doubled, reordered or half-visible. What is stored is read behind the store's back. A pattern's
pipeline (`Harness.drain`) is disturbed like an operation of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from testkit import faults
from testkit.examples import bare, event, history, new_id
from testkit.faults import Fault
from testkit.trials import (
    REQUESTS,
    Request,
    Trial,
    Trials,
    disturbed,
    ids_of,
    numbers,
    stored_ids,
)


@pytest.mark.parametrize("with_id", [True, False], ids=["with request id", "without"])
@pytest.mark.parametrize("make_request", REQUESTS, ids=lambda request: request.__name__)
@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_an_append_survives_a_fault_at_each_of_its_calls(
    trial: Trials, kind: type[Fault], make_request: Callable[[], Request], with_id: bool
) -> None:
    for number in numbers():
        with trial() as on:
            if not append_with(on, kind(number), make_request(), with_id):
                break
    assert number > 0, "the append made no AWS call"


def append_with(on: Trial, fault: Fault, request: Request, with_id: bool) -> bool:
    """Whether there was a call for the fault to strike."""
    request_id = "the request" if with_id else None
    for events in request.before:
        on.open().store(*events)
    before = on.stored()
    wanted = Counter((event["aggregateId"], event["aggregateVersion"]) for event in request.events)

    answer = disturbed(on.watch, fault, lambda: on.open().try_to_store(*request.events, request_id=request_id))

    stored = on.stored()
    assert stored in (before, before + wanted), "half of the request is stored"
    took_effect = stored == before + wanted
    if answer is not None:
        assert "events" in answer, f"the request was refused because of the fault: {answer}"
        assert took_effect, "acknowledged and lost"
        assert bare(answer["events"]) == request.events
        assert ids_of(answer["events"]) == stored_ids(on, request.events)

    first_ids = stored_ids(on, request.events)
    retried = on.open().try_to_store(*request.events, request_id=request_id)
    if took_effect and not with_id:
        assert retried["error"]["code"] == "VersionConflict", "nothing tells this from another request"
    else:
        assert bare(retried["events"]) == request.events
        assert ids_of(retried["events"]) == stored_ids(on, request.events)
    if took_effect:
        assert stored_ids(on, request.events) == first_ids, "the retry changed what was stored"
    assert on.stored() == before + wanted
    on.assert_sound()
    return fault.struck


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_a_conflict_stays_one_whatever_happens_to_its_calls(trial: Trials, kind: type[Fault]) -> None:
    for number in numbers():
        with trial() as on:
            taken, free = new_id(), new_id()
            on.open().store(*history(taken, 2))
            before, fault = on.stored(), kind(number)

            request = (event(free, 1), event(taken, 2))
            answer = disturbed(on.watch, fault, partial(on.open().try_to_store, *request))

            assert answer is None or answer["error"]["currentVersion"] == 2
            assert on.stored() == before
            on.assert_sound()
            if not fault.struck:
                break
    assert number > 0


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("operation", ["get_aggregate_events", "get_all_events"])
def test_a_read_under_a_fault_is_right_or_fails(trial: Trials, kind: type[Fault], operation: Any) -> None:
    with trial() as on:
        aggregate = new_id()
        stored = [event for n in (1, 4) for event in on.open().store(*history(aggregate, 3, first=n))]
        on.drained_log()
        request = {"aggregateId": aggregate} if operation == "get_aggregate_events" else {}
        for number in numbers():
            fault = kind(number)
            answer = disturbed(on.watch, fault, lambda: on.open().call(operation, **request))
            assert answer is None or ids_of(answer["events"]) == ids_of(stored)
            if not fault.struck:
                break
        on.assert_sound()
    assert number > 0


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_the_way_into_the_log_survives_a_fault_at_each_of_its_calls(trial: Trials, kind: type[Fault]) -> None:
    for number in numbers():
        with trial() as on:
            ann, josh = new_id(), new_id()
            on.open().store(*history(ann, 3))
            on.drained_log()
            on.open().store(event(josh, 1), event(ann, 4))
            on.open().store(event(josh, 2))
            fault = kind(number)

            disturbed(on.watch, fault, partial(on.harness.drain, on.environment))

            on.assert_sound()
            if not fault.struck:
                break

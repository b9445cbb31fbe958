"""How a pattern behaves when its AWS calls fail: each call of an append, disturbed in each way, one at a time.

Each trial has a fresh store: a caller appends two events, repeats the request if it failed, and reads everything back.
The checker judges the recorded history, as it judges any other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from compare import workloads
from compare.checker import check
from compare.exact import Bench
from compare.history import Answer, Recorder
from testkit.aws_calls import Disturbance
from testkit.faults import ENUMERATED, Crash, Fault

MASKED = "answered"
RAISED = "raised"
RECOVERED = "recovered"

MEANINGS = {
    "Unreachable": "the call is never sent, however often the SDK tries",
    "UnreachableOnce": "the first attempt is not sent",
    "AnswerLostOnce": "the first attempt takes effect, its answer is lost",
    "AnswerLost": "the call takes effect, its answer is lost, nothing further gets through",
    "EveryAnswerLost": "every attempt takes effect, every answer is lost",
    "CrashBefore": "the Lambda dies before the call",
    "CrashAfter": "the Lambda dies after the call",
}


@dataclass
class Behaviour:
    """Of one kind of fault, over all calls of an append and of the way into the log."""

    trials: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """Appends: `answered` in spite of the fault, or `raised` and then `recovered` by the same request again."""
    anomalies: Counter[str] = field(default_factory=Counter)
    """By kind, those that no guarantee sheet admits and those that this one admits alike."""


def behaviour(on: Bench, guarantees: dict[str, Any]) -> dict[str, Behaviour]:
    """By kind of fault."""
    return {kind.__name__: _under(kind, on, guarantees) for kind in ENUMERATED}


def _under(kind: type[Fault], on: Bench, guarantees: dict[str, Any]) -> Behaviour:
    seen = Behaviour()
    for during_append in (True, False):
        for fault in _at_each_call(kind):
            _trial(on, guarantees, fault, seen, during_append=during_append)
            if not fault.struck:
                break
            seen.trials += 1
    return seen


def _trial(on: Bench, guarantees: dict[str, Any], fault: Fault, seen: Behaviour, *, during_append: bool) -> None:
    with on.store() as (store, drain, _):
        recorder = Recorder(store)
        writer = recorder.client("writer")
        workloads.append(writer, "struck", 1, 3, workloads.KB)
        drain()
        events = [workloads.event("struck", version, workloads.KB) for version in (4, 5)]
        request = workloads.request("struck", events)
        outcome = MASKED
        with on.watch.recording(fault if during_append else Disturbance()):
            if not _succeeds(writer, request):
                outcome = RAISED
        if outcome == RAISED and _succeeds(writer, request):
            outcome = RECOVERED
        with on.watch.recording(Disturbance() if during_append else fault):
            _survives(drain)
        drain()
        reader = recorder.client("reader")
        reader("get_aggregate_events", {"aggregateId": workloads.aggregate_id("struck")})
        workloads.read_all(reader)
    if fault.struck:
        seen.outcomes[outcome] += during_append
        seen.anomalies.update(anomaly.kind for anomaly in check(recorder.calls, guarantees) if not anomaly.admitted)


def _succeeds(writer: Answer, request: dict[str, Any]) -> bool:
    return _survives(lambda: _accepted(writer("store_events", request)))


def _accepted(answer: dict[str, Any]) -> None:
    if "error" in answer:
        raise AssertionError(f"refused under a fault: {answer}")


def _survives(step: Any) -> bool:
    try:
        step()
    except (Crash, Exception):
        return False
    return True


def _at_each_call(kind: type[Fault]) -> Iterator[Fault]:
    number = 0
    while True:
        yield kind(number)
        number += 1

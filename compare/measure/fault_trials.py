"""How a pattern behaves when its AWS calls fail: each call of an append, disturbed in each way, one at a time.

Each trial has a fresh store: a caller appends two events, repeats the request if it failed, and reads everything back.
The checker judges the recorded history, as it judges any other.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from compare.history.checker import check
from compare.history.record import Answer, Call, Recorder
from compare.measure import workloads
from compare.measure.resource_use import FreshStores
from testkit.aws_calls import Disturbance
from testkit.faults import ENUMERATED, Crash, Fault

ANSWERED, RAISED, RECOVERED = "answered", "raised", "recovered"


def under_faults(stores: FreshStores, guarantees: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By kind of fault, over all calls of an append and of the way into the log.

    `trials` is how often it was tried; `outcomes` says how often an append answered in spite of the fault, or raised
    and then recovered by the same request again; `anomalies` are those, by kind, that the guarantees do not admit.
    """
    return {kind.__name__: _under(kind, stores, guarantees) for kind in ENUMERATED}


def _under(kind: type[Fault], stores: FreshStores, guarantees: Mapping[str, Any]) -> dict[str, Any]:
    trials = 0
    outcomes: Counter[str] = Counter()
    anomalies: Counter[str] = Counter()
    for during_append in (True, False):
        for fault in map(kind, count()):
            outcome, history = _trial(stores, fault, during_append=during_append)
            if not fault.struck:  # there is no call of that number any more
                break
            trials += 1
            outcomes[outcome] += during_append
            anomalies.update(anomaly.kind for anomaly in check(history, guarantees) if not anomaly.admitted)
    return {"trials": trials, "outcomes": dict(sorted(outcomes.items())), "anomalies": dict(sorted(anomalies.items()))}


def _trial(stores: FreshStores, fault: Fault, *, during_append: bool) -> tuple[str, list[Call]]:
    with stores.store() as (store, drain, environment):
        before, recorder = Recorder(store), Recorder(stores.cold(environment))
        workloads.append(before.client("writer"), "struck", 1, 3, workloads.KB)
        drain()
        writer = recorder.client("writer")
        request = workloads.request("struck", [workloads.event("struck", version, workloads.KB) for version in (4, 5)])
        with stores.watch.recording(fault if during_append else Disturbance()):
            outcome = ANSWERED if _stores(writer, request) else RAISED
        if outcome == RAISED and _stores(writer, request):
            outcome = RECOVERED
        with stores.watch.recording(Disturbance() if during_append else fault):
            _survives(drain)
        drain()
        reader = recorder.client("reader")
        reader("get_aggregate_events", {"aggregateId": workloads.aggregate_id("struck")})
        workloads.read_all(reader)
    return outcome, before.calls + recorder.calls


def _stores(writer: Answer, request: dict[str, Any]) -> bool:
    def store() -> None:
        answer = writer("store_events", request)
        assert "error" not in answer, f"refused under a fault: {answer}"

    return _survives(store)


def _survives(step: Callable[[], object]) -> bool:
    try:
        step()
    except (Crash, Exception):
        return False
    return True

"""What does not carry over from an emulator: times, through the deployed Lambdas, as medians and ranges.

Also records a history of several writers and readers at once, and has the checker judge it.
"""

import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, repeat
from secrets import token_hex
from typing import Any, Self

from compare.history.checker import Anomaly, check
from compare.history.index import Key
from compare.history.record import Answer, Recorder
from compare.measure import workloads
from compare.measure.workloads import KB, read_all, read_page
from lambdas.eventstore.wire import OPERATIONS
from tools.console import progress

CALLS = 30
LAGS = 10
WRITERS = (1, 2, 4, 8, 16)
SECONDS = 1.5
VISIBLE_SECONDS = 30.0
"""Time that an event is given to show in the log."""

PAUSE_SECONDS = 0.2
"""Between two looks at a log that has nothing new."""

SAME, DIFFERENT = "same aggregate", "different aggregates"


@dataclass(frozen=True)
class Range:
    """Of several measurements: median, and between what they lie."""

    median: float
    low: float
    high: float
    p95: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        ordered = sorted(values)
        p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
        return cls(statistics.median(ordered), ordered[0], ordered[-1], p95, len(ordered))


@dataclass(frozen=True)
class Goodput:
    writers: int
    per_second: float
    conflicts_per_second: float
    failures: int


@dataclass(frozen=True)
class Timings:
    latencies: dict[str, Range]
    lag: Range
    goodput: dict[str, list[Goodput]]
    read_all_seconds: float
    read_all_events: int
    anomalies: dict[str, int]
    """By kind, in a history of all that happened."""
    admitted: dict[str, int]
    """… those that the guarantee sheet allows for."""
    calls: int


class Timer:
    """Measures one deployed pattern. All calls go through one recorder, and are judged in the end."""

    def __init__(self, name: str, answer: Answer, guarantees: Mapping[str, Any]) -> None:
        self._name, self._answer, self._guarantees = name, answer, guarantees
        self._run = token_hex(4)
        self._recorder = Recorder(answer)
        self.history = self._recorder.calls

    def run(self) -> Timings:
        progress(f"{self._name}: latency")
        self._warm_up(1)
        latencies = self._latencies()
        progress(f"{self._name}: lag until visible")
        lag = self._lag()
        goodput = {mode: [self._goodput(mode, writers) for writers in WRITERS] for mode in (SAME, DIFFERENT)}
        progress(f"{self._name}: reading everything")
        events, seconds = self._audit()
        found = check(self.history, self._guarantees, VISIBLE_SECONDS)
        return Timings(
            latencies=latencies,
            lag=lag,
            goodput=goodput,
            read_all_seconds=seconds,
            read_all_events=events,
            anomalies=_by_kind(anomaly for anomaly in found if not anomaly.admitted),
            admitted=_by_kind(anomaly for anomaly in found if anomaly.admitted),
            calls=len(self.history),
        )

    def _latencies(self) -> dict[str, Range]:
        client, aggregate = self._recorder.client("latency"), f"{self._run} latency"
        for version in range(1, CALLS + 1):
            client("store_events", self._request(aggregate, version))
        for _ in range(CALLS):
            client("get_aggregate_events", {"aggregateId": workloads.aggregate_id(aggregate), "limit": 10})
            client("get_all_events", {"limit": 10})
        took: dict[str, list[float]] = defaultdict(list)
        for call in self.history:
            took[call.operation].append(call.ended - call.began)
        named = ("append 1 event", "read 10 of an aggregate", "read 10 of all")
        return {name: Range.of(took[operation]) for name, operation in zip(named, OPERATIONS, strict=True)}

    def _request(self, aggregate: str, version: int) -> dict[str, Any]:
        return workloads.request(f"{aggregate} {version}", [workloads.event(aggregate, version, KB)])

    def _lag(self) -> Range:
        """From the answer to a writer until a reader that polls sees the event."""
        client = self._recorder.client("lag")
        log = read_all(client)
        after = log[-1]["offset"] if log else None
        lags = []
        for number in range(LAGS):
            aggregate = f"{self._run} lag {number}"
            [event] = client("store_events", self._request(aggregate, 1))["events"]
            stored = time.monotonic()
            client("get_aggregate_events", {"aggregateId": event["aggregateId"]})
            seen = False
            while not seen and time.monotonic() - stored < VISIBLE_SECONDS:
                page = read_page(client, after)
                after = page["next"]
                seen = any(each["aggregateId"] == event["aggregateId"] for each in page["events"])
            lags.append(time.monotonic() - stored)
        return Range.of(lags)

    def _goodput(self, mode: str, writers: int) -> Goodput:
        """A reader follows meanwhile, so that the checker has what to judge by."""
        progress(f"{self._name}: goodput, {mode}, {writers} writers")
        self._warm_up(writers)
        name, stop = f"{mode} {writers}", threading.Event()
        aggregates = [f"{self._run} {name}" + f" {number}" * (mode == DIFFERENT) for number in range(writers)]
        clients = [self._recorder.client(f"{name} {number}") for number in range(writers)]
        with ThreadPoolExecutor(writers + 1) as pool:
            reader = pool.submit(_follow, self._recorder.client(f"reader {name}"), sorted(set(aggregates)), stop)
            began = time.monotonic()
            until = repeat(began + SECONDS)
            try:
                outcomes = sum(pool.map(_write, clients, aggregates, range(writers), until), Counter[str]())
                seconds = time.monotonic() - began
            finally:
                stop.set()
            reader.result()
        return Goodput(writers, outcomes["stored"] / seconds, outcomes["conflicts"] / seconds, outcomes["failures"])

    def _warm_up(self, writers: int) -> None:
        """So many calls at once, refused before they reach the store: workers take time to start."""
        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(lambda _: self._answer("store_events", {}), range(3 * writers)))
        self._answer("get_aggregate_events", {})
        self._answer("get_all_events", {"limit": 0})

    def _audit(self) -> tuple[int, float]:
        """Waits until everything shows, and reads all of it: how much there is, and how long that took."""
        client = self._recorder.client("auditor")
        appends = [call for call in self.history if call.operation == "store_events"]
        stored = {Key.of(event) for call in appends for event in call.events}
        deadline = time.monotonic() + VISIBLE_SECONDS
        while True:
            began = time.monotonic()
            log = read_all(client)
            seconds = time.monotonic() - began
            if stored <= set(map(Key.of, log)) or time.monotonic() > deadline:
                break
            time.sleep(PAUSE_SECONDS)
        for aggregate in sorted({key.aggregate for key in stored}):
            start: int | None = 1
            while start:
                page = client("get_aggregate_events", {"aggregateId": aggregate, "fromVersion": start, "limit": 1000})
                start = page["nextVersion"]
        return len(log), seconds


def _write(client: Answer, aggregate: str, number: int, until: float) -> Counter[str]:
    """Appends one event after another to its aggregate, going on from a conflict with the version it is told."""
    outcomes: Counter[str] = Counter()
    version = 1
    while time.monotonic() < until:
        event = workloads.event(aggregate, version, KB)
        event["metadata"]["writer"] = number
        try:
            answer = client("store_events", workloads.request(f"{aggregate} {number} {version}", [event]))
        except Exception:
            outcomes["failures"] += 1
            continue
        outcomes["conflicts" if "error" in answer else "stored"] += 1
        version = answer["error"]["currentVersion"] + 1 if "error" in answer else version + 1
    return outcomes


def _follow(client: Answer, aggregates: Sequence[str], stop: threading.Event) -> None:
    """Follows the log and looks at aggregates."""
    after = None
    for aggregate in cycle(aggregates):
        if stop.is_set():
            return
        page = read_page(client, after)
        after = page["next"]
        client("get_aggregate_events", {"aggregateId": workloads.aggregate_id(aggregate), "limit": 1000})
        if not page["hasMore"]:
            stop.wait(PAUSE_SECONDS)


def _by_kind(anomalies: Iterable[Anomaly]) -> dict[str, int]:
    return dict(sorted(Counter(anomaly.kind for anomaly in anomalies).items()))

"""What does not carry over from an emulator: times, through the deployed Lambdas, as medians and ranges.

Also records a history of several writers and readers at once, and has the checker judge it.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from secrets import token_hex
from typing import Any

from compare import workloads
from compare.checker import Anomaly, check
from compare.history import Answer, Recorder

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
    def of(cls, values: Sequence[float]) -> Range:
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

    def __init__(self, answer: Answer, guarantees: dict[str, Any], tell: Callable[[str], None]) -> None:
        self._answer = answer
        self._run = token_hex(4)
        self._recorder = Recorder(answer)
        self.history = self._recorder.calls
        self._guarantees = guarantees
        self._tell = tell

    def run(self) -> Timings:
        self._tell("latency")
        self._warm_up(1)
        latencies = self._latencies()
        self._tell("lag until visible")
        lag = self._lag()
        goodput = {mode: self._goodput(mode) for mode in (SAME, DIFFERENT)}
        self._tell("reading everything")
        events, seconds = self._audit()
        found = check(self._recorder.calls, self._guarantees, VISIBLE_SECONDS)
        return Timings(
            latencies=latencies,
            lag=lag,
            goodput=goodput,
            read_all_seconds=seconds,
            read_all_events=events,
            anomalies=_counted(anomaly for anomaly in found if not anomaly.admitted),
            admitted=_counted(anomaly for anomaly in found if anomaly.admitted),
            calls=len(self._recorder.calls),
        )

    def _latencies(self) -> dict[str, Range]:
        client = self._recorder.client("latency")
        appends, aggregates, pages = [], [], []
        for version in range(1, CALLS + 1):
            event = workloads.event(f"{self._run} latency", version, workloads.KB)
            appends.append(
                _seconds(lambda e=event, v=version: client("store_events", workloads.request(f"{self._run} {v}", [e])))
            )
        for _ in range(CALLS):
            request = {"aggregateId": workloads.aggregate_id(f"{self._run} latency"), "limit": 10}
            aggregates.append(_seconds(lambda r=request: client("get_aggregate_events", r)))
            pages.append(_seconds(lambda: client("get_all_events", {"limit": 10})))
        named = {"append 1 event": appends, "read 10 of an aggregate": aggregates, "read 10 of all": pages}
        return {name: Range.of(seconds) for name, seconds in named.items()}

    def _lag(self) -> Range:
        """From the answer to a writer until a reader that polls sees the event."""
        client = self._recorder.client("lag")
        after = _end(client)
        lags = []
        for number in range(LAGS):
            event = workloads.event(f"{self._run} lag {number}", 1, workloads.KB)
            client("store_events", workloads.request(f"{self._run} lag {number}", [event]))
            stored = time.monotonic()
            client("get_aggregate_events", {"aggregateId": event["aggregateId"]})
            seen = False
            while not seen and time.monotonic() - stored < VISIBLE_SECONDS:
                page = _page(client, after)
                after = page["next"]
                seen = any(each["aggregateId"] == event["aggregateId"] for each in page["events"])
            lags.append(time.monotonic() - stored)
        return Range.of(lags)

    def _goodput(self, mode: str) -> list[Goodput]:
        points = []
        for writers in WRITERS:
            self._tell(f"goodput, {mode}, {writers} writers")
            self._warm_up(writers)
            aggregates = {self._aggregate(mode, writers, number) for number in range(writers)}
            with self._following(f"reader {mode} {writers}", sorted(aggregates)):
                points.append(self._write(mode, writers))
        return points

    def _write(self, mode: str, writers: int) -> Goodput:
        until = time.monotonic() + SECONDS
        workers = []
        for number in range(writers):
            client = self._recorder.client(f"{mode} {writers} {number}")
            workers.append(_Writer(client, self._aggregate(mode, writers, number), number, until))
        began = time.monotonic()
        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(_Writer.run, workers))
        seconds = time.monotonic() - began
        stored = sum(worker.stored for worker in workers)
        conflicts = sum(worker.conflicts for worker in workers)
        return Goodput(writers, stored / seconds, conflicts / seconds, sum(worker.failures for worker in workers))

    def _aggregate(self, mode: str, writers: int, number: int) -> str:
        return f"{self._run} {mode} {writers}" + (f" {number}" if mode == DIFFERENT else "")

    @contextmanager
    def _following(self, name: str, aggregates: Sequence[str]) -> Iterator[None]:
        """A reader that follows the log and looks at aggregates meanwhile, so that the checker has what to judge by."""
        stop, client = threading.Event(), self._recorder.client(name)

        def follow() -> None:
            after = None
            for aggregate in cycle(aggregates):
                if stop.is_set():
                    return
                page = _page(client, after)
                after = page["next"]
                client("get_aggregate_events", {"aggregateId": workloads.aggregate_id(aggregate), "limit": 1000})
                if not page["hasMore"]:
                    stop.wait(PAUSE_SECONDS)

        thread = threading.Thread(target=follow, name=name)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _warm_up(self, writers: int) -> None:
        """So many calls at once, refused before they reach the store: workers take time to start."""
        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(lambda _: self._answer("store_events", {}), range(3 * writers)))
        self._answer("get_aggregate_events", {})
        self._answer("get_all_events", {"limit": 0})

    def _audit(self) -> tuple[int, float]:
        """Waits until everything shows, and reads all of it: how much there is, and how long that took."""
        client = self._recorder.client("auditor")
        stored = self._stored()
        deadline = time.monotonic() + VISIBLE_SECONDS
        while True:
            began = time.monotonic()
            log = workloads.read_all(client)
            seconds = time.monotonic() - began
            if stored <= {(event["aggregateId"], event["aggregateVersion"]) for event in log}:
                break
            if time.monotonic() > deadline:
                break
            time.sleep(PAUSE_SECONDS)
        for aggregate in sorted({aggregate for aggregate, _ in stored}):
            start: int | None = 1
            while start:
                page = client("get_aggregate_events", {"aggregateId": aggregate, "fromVersion": start, "limit": 1000})
                start = page["nextVersion"]
        return len(log), seconds

    def _stored(self) -> set[tuple[str, int]]:
        answers = [call.answer for call in self._recorder.calls if call.operation == "store_events" and call.answer]
        events = [event for answer in answers for event in answer.get("events", ())]
        return {(event["aggregateId"], event["aggregateVersion"]) for event in events}


@dataclass
class _Writer:
    """Appends one event after another to its aggregate, going on from a conflict with the version it is told."""

    client: Answer
    aggregate: str
    number: int
    until: float
    stored: int = 0
    conflicts: int = 0
    failures: int = 0

    def run(self) -> None:
        version = 1
        while time.monotonic() < self.until:
            event = workloads.event(self.aggregate, version, workloads.KB)
            event["metadata"]["writer"] = self.number
            request = workloads.request(f"{self.aggregate} {self.number} {version}", [event])
            try:
                answer = self.client("store_events", request)
            except Exception:
                self.failures += 1
                continue
            if "error" in answer:
                self.conflicts += 1
                version = answer["error"]["currentVersion"] + 1
            else:
                self.stored += 1
                version += 1


def _page(client: Answer, after: str | None) -> dict[str, Any]:
    return client("get_all_events", {"limit": 1000} if after is None else {"limit": 1000, "after": after})


def _end(client: Answer) -> str | None:
    """Where the log ends now."""
    events = workloads.read_all(client)
    return events[-1]["offset"] if events else None


def _seconds(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def _counted(anomalies: Iterable[Anomaly]) -> dict[str, int]:
    return dict(sorted(Counter(anomaly.kind for anomaly in anomalies).items()))

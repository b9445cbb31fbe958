"""Schedules that force what a pattern's sheet admits or rules out, on any pattern; by the line of the sheet.

Each opens its own stores on a fresh environment, brings about one situation, and says whether the store then showed
what the line is about. A pattern that admits it must show it under at least one schedule, a pattern that rules it out
under none: so a sheet can promise neither too much nor too little. Situations that only one pattern knows (a sequencer
that wakes up twice, a transaction held open) are schedules of its own harness.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from testkit.aws_calls import Call, Disturbance, Send, Watch
from testkit.examples import Event, event, new_id
from testkit.harness import Environment, Harness
from testkit.subjects import InProcess

Schedule = Callable[["Scene"], bool]
HELD_SECONDS = 20.0

TICK_SECONDS = 0.005
"""A little more than the 4 ms that two event ids can have in common: what comes after has a later id."""


class Scene:
    """A fresh store, with as many subjects opened on it as a schedule needs."""

    def __init__(self, harness: Harness, environment: Environment, watch: Watch, sheet: dict[str, Any]) -> None:
        self.harness, self.environment, self.watch, self._sheet = harness, environment, watch, sheet

    def open(self) -> InProcess:
        return InProcess(self.harness.open(self.environment), self._sheet, self.harness, self.environment)

    def log(self, after: str | None = None) -> list[Event]:
        """What a reader finds behind `after` now, the pipelines having done what they can."""
        self.harness.drain(self.environment)
        return self.open().tail(after)[0]


def a_writer_commits_late(scene: Scene) -> bool:
    """One writer is held before each of its AWS calls in turn, while another stores an event and a reader reads on."""
    held_at = 0
    while True:
        fresh = Scene(scene.harness, scene.harness.fresh(), scene.watch, scene._sheet)
        try:
            held, late = _late_when_held_at(fresh, held_at)
        finally:
            scene.harness.discard(fresh.environment)
        assert held or held_at, "the writer made no AWS call that could be held"
        if late or not held:
            return late
        held_at += 1


def _late_when_held_at(scene: Scene, number: int) -> tuple[bool, bool]:
    """Whether the writer made a call of that number, and whether its event then was late."""
    slow, quick = new_id(), new_id()
    scene.open().store(event(slow, 1), event(quick, 1))
    reader = Reader(scene)
    reader.read()
    gate = _Gate(number)
    store = scene.open()
    with scene.watch.recording(gate), ThreadPoolExecutor(1) as pool:
        writing = pool.submit(store.store, event(slow, 2))
        try:
            held = gate.wait_until_held(writing)
            gate.open_to_all_others()
            if held:
                time.sleep(TICK_SECONDS)
                scene.open().store(event(quick, 2))
                reader.read()
        finally:
            gate.open()
        writing.result(HELD_SECONDS)
    reader.read()
    return held, reader.missed()


def an_index_entry_appears_late(scene: Scene) -> bool:
    """Reads that are not strongly consistent do not see one event yet, while a reader passes the event behind it."""
    slow, quick = new_id(), new_id()
    reader = Reader(scene)
    with scene.watch.recording(_NotYetReplicated(slow)):
        scene.open().store(event(slow, 1))
        time.sleep(TICK_SECONDS)
        scene.open().store(event(quick, 1))
        reader.read()
    reader.read()
    return reader.missed()


def a_clock_is_behind(scene: Scene) -> bool:
    """A writer whose clock is a minute behind stores an event after a reader has passed one of another writer."""
    reader = Reader(scene)
    scene.open().store(event(new_id(), 1))
    reader.read()
    with clock_moved(-60):
        scene.open().store(event(new_id(), 1))
    reader.read()
    return reader.missed()


def a_later_event_comes_first(scene: Scene) -> bool:
    """Of two events, the second stored once the first had been read, whether it comes first for a writer's clock."""
    first, second = new_id(), new_id()
    scene.open().store(event(first, 1))
    before = scene.log()
    assert [event["aggregateId"] for event in before] == [first]
    with clock_moved(-60):
        scene.open().store(event(second, 1))
    return [event["aggregateId"] for event in scene.log()] == [second, first]


def an_event_is_not_there_at_once(scene: Scene) -> bool:
    """The log is read right after each store, and by readers that replication has not reached."""
    aggregate, store = new_id(), scene.open()
    for version in range(1, 6):
        store.store(event(aggregate, version))
        if len(store.tail(None)[0]) < version:
            return True
        with scene.watch.recording(_NotYetReplicated(aggregate)):
            if len(store.tail(None)[0]) < version:
                return True
    return False


def offsets_have_holes(scene: Scene) -> bool:
    """Offsets after appends, conflicts, and requests of several events."""
    ann, josh, store = new_id(), new_id(), scene.open()
    store.store(event(ann, 1))
    store.store(event(josh, 1), event(ann, 2), event(josh, 2))
    for taken in (1, 2):
        assert "error" in store.try_to_store(event(new_id(), 1), event(ann, taken))
    store.store(event(josh, 3))
    offsets = [event["offset"] for event in scene.log()]
    assert len(offsets) == 5
    return offsets != [str(position) for position in range(1, 6)]


SCHEDULES: Mapping[str, Sequence[Schedule]] = {
    "late_events": (a_writer_commits_late, an_index_entry_appears_late, a_clock_is_behind),
    "global_order": (a_later_event_comes_first,),
    "read_all": (an_event_is_not_there_at_once,),
    "dense_offsets": (offsets_have_holes,),
}


class Reader:
    """Follows the log from `next` to `next`, as a projection does."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._next: str | None = None
        self._seen: list[str] = []

    def read(self) -> None:
        self._scene.harness.drain(self._scene.environment)
        events, self._next = self._scene.open().tail(self._next)
        self._seen += [event["eventId"] for event in events]

    def missed(self) -> bool:
        """Whether the log by now holds an event that this reader will never see. It must have seen none twice."""
        assert len(set(self._seen)) == len(self._seen), "an event was seen twice"
        whole = [event["eventId"] for event in self._scene.log()]
        behind = [event["eventId"] for event in self._scene.log(self._next)]
        return bool(set(whole) - set(self._seen) - set(behind))


@contextmanager
def clock_moved(seconds: float) -> Iterator[None]:
    """The wall clock of this process, moved: all that asks `time.time()` inside sees another time."""
    true_time = time.time
    with patch("time.time", lambda: true_time() + seconds):
        yield


@contextmanager
def clock_at(moment: float) -> Iterator[None]:
    """The wall clock of this process, stopped: for what depends on moments, however slow the machine is."""
    with patch("time.time", lambda: moment):
        yield


class _Gate(Disturbance):
    """Holds the first thread that makes a call of this number, until it is opened."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._held = threading.Event()
        self._opened = threading.Event()
        self._others_pass = False

    def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        if call.number == self._number and not self._others_pass:
            self._held.set()
            assert self._opened.wait(HELD_SECONDS), "nobody opened the gate"
        return None

    def wait_until_held(self, writing: Future[Any]) -> bool:
        """False if the writer came to its end without such a call."""
        while not writing.done() and not self._held.is_set():
            self._held.wait(0.002)
        return self._held.is_set()

    def open_to_all_others(self) -> None:
        self._others_pass = True

    def open(self) -> None:
        self._opened.set()


class _NotYetReplicated(Disturbance):
    """Hides the events of one aggregate from each DynamoDB read that is not strongly consistent, as AWS may."""

    def __init__(self, aggregate: str) -> None:
        self._aggregate = aggregate

    def after_answer(self, call: Call) -> None:
        if call.operation in ("Query", "Scan") and not call.parameters.get("ConsistentRead"):
            items = call.answer.get("Items", [])
            call.answer["Items"] = [item for item in items if not self._hidden(item)]

    def _hidden(self, item: dict[str, Any]) -> bool:
        return bool(item.get("aggregateId") == {"S": self._aggregate})

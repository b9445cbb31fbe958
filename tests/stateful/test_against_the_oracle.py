"""Hypothesis drives a store and the memory store with the same steps, and their answers must be the same.

Ids and offsets differ, and so may the order over aggregates, unless the sheet promises a total order that shows at
once: so the log is compared aggregate by aggregate.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from lambdas.eventstore.memory import MemoryEventStore
from testkit.aws_calls import Watch
from testkit.examples import Event, bare, event, new_id, versions
from testkit.harness import Harness
from testkit.strategies import METADATA
from testkit.subjects import MEMORY_SHEET, InProcess
from tools.discovery import Pattern

AGGREGATES = st.integers(0, 3)


class AgainstTheOracle(RuleBasedStateMachine):
    """Aggregates are named by a number; each example gives them ids that no other has."""

    harness: Harness
    sheet: dict[str, Any]

    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.environment = self.harness.fresh()
        self.store = InProcess(self.harness.open(self.environment), self.sheet, self.harness, self.environment)
        self.oracle = InProcess(MemoryEventStore(), MEMORY_SHEET)
        self.ids = [new_id() for _ in range(4)]
        self.place: str | None = None
        self.followed: list[Event] = []

    def teardown(self) -> None:
        self.read_the_whole_log()
        self.harness.discard(self.environment)

    @initialize(target=requests)
    def one_request_to_repeat(self) -> dict[str, Any]:
        return self._both({"events": [event(self.ids[0], 1, n=0)], "requestId": "0"})

    @rule(target=requests, of=st.lists(AGGREGATES, min_size=1, max_size=6), metadata=METADATA, named=st.booleans())
    def append(self, of: list[int], metadata: dict[str, Any], named: bool) -> dict[str, Any]:
        """The next events of these aggregates, in that order."""
        following = {number: len(self.oracle.aggregate(self.ids[number])) for number in of}
        events = []
        for number in of:
            following[number] += 1
            events.append({**event(self.ids[number], following[number]), "metadata": metadata})
        return self._both({"events": events, **({"requestId": new_id()} if named else {})})

    @rule(of=st.lists(st.tuples(AGGREGATES, st.integers(-2, 3)), min_size=1, max_size=4))
    def append_versions_that_may_conflict(self, of: list[tuple[int, int]]) -> None:
        last = {number: len(self.oracle.aggregate(self.ids[number])) for number, _ in of}
        self._both({"events": [event(self.ids[number], max(1, last[number] + step)) for number, step in of]})

    @rule(request=requests)
    def repeat(self, request: dict[str, Any]) -> None:
        self._both(request)

    @rule(request=requests, cut=st.integers(1, 5))
    def repeat_a_part(self, request: dict[str, Any], cut: int) -> None:
        self._both({**request, "events": request["events"][:cut]})

    @rule(request=requests, n=st.integers(0, 1))
    def repeat_with_other_metadata(self, request: dict[str, Any], n: int) -> None:
        self._both({**request, "events": [{**event, "metadata": {"n": n}} for event in request["events"]]})

    @rule(of=AGGREGATES, start=st.integers(1, 12), limit=st.integers(1, 5))
    def read_an_aggregate(self, of: int, start: int, limit: int) -> None:
        request = {"aggregateId": self.ids[of], "fromVersion": start, "limit": limit}
        ours, theirs = (store.call("get_aggregate_events", **request) for store in (self.store, self.oracle))
        assert bare(ours["events"]) == bare(theirs["events"])
        assert ours["nextVersion"] == theirs["nextVersion"]

    @rule(limit=st.integers(1, 7))
    def follow_the_log(self, limit: int) -> None:
        self.store.drain()
        events, self.place = self.store.tail(self.place, limit)
        self.followed += events
        self._assert_same_log(self.followed)

    @rule()
    def read_the_whole_log(self) -> None:
        self.store.drain()
        self._assert_same_log(self.store.tail(None)[0])

    def _assert_same_log(self, log: list[Event]) -> None:
        expected = self.oracle.tail(None)[0]
        if self.sheet["guarantees"]["global_order"] == "total" and self.sheet["guarantees"]["read_all"] == "strong":
            assert bare(log) == bare(expected)
        for aggregate in self.ids:
            ours, theirs = ([e for e in bare(events) if e["aggregateId"] == aggregate] for events in (log, expected))
            assert ours == theirs
        assert len(log) == len(expected)

    def _both(self, request: dict[str, Any]) -> dict[str, Any]:
        ours, theirs = (store.call("store_events", **request) for store in (self.store, self.oracle))
        if "error" in theirs:
            assert ours == theirs
        else:
            assert bare(ours.get("events", [ours])) == bare(theirs["events"])
            assert versions(ours["events"]) == versions(theirs["events"])
        return request


def test_a_pattern_answers_like_the_memory_store(harness: Harness, watch: Watch, each_pattern: Pattern) -> None:
    machine = type("Machine", (AgainstTheOracle,), {"harness": harness, "sheet": each_pattern.sheet})
    run_state_machine_as_test(machine, settings=SETTINGS)


SETTINGS = settings(
    max_examples=30,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

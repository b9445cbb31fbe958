"""Appends that are stored together: in many orders of their calls, and with one that dies or fails at each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count, product
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore.dynamodb.items import to_attribute
from lambdas.eventstore.dynamodb.paged_log import contents
from lambdas.eventstore.log_first.log import COMBINED_BYTES, INLINE_BYTES
from testkit.examples import Event, event, versions
from testkit.faults import Crash
from testkit.simulation import Instant, virtual_retries

from . import contention
from .world import Request, World, taking_turns

LARGE = Random(1).randbytes(INLINE_BYTES).hex()

REQUESTS: dict[str, dict[str, Request]] = {
    "requests that go together": {
        "A": [event("ann", 2), event("ann", 3)],
        "B": [event("josh", 1)],
        "C": [event("liz", 1)],
    },
    "requests that exclude each other": {
        "A": [event("ann", 2, by="A"), event("josh", 1, by="A")],
        "B": [event("josh", 1, by="B")],
        "C": [event("ann", 2, by="C")],
    },
    "requests that build on one another": {"A": [event("ann", 2)], "B": [event("ann", 3)], "C": [event("ann", 4)]},
    "one of them large": {"A": [event("ann", 2, text=LARGE)], "B": [event("josh", 1)], "C": [event("ann", 2)]},
}


@pytest.fixture(autouse=True)
def instant() -> Iterator[None]:
    with virtual_retries(Instant(), 1, *contention.MODULES):
        yield


def crowded(writers: int) -> World:
    world = World()
    world.crowd(writers)
    return world


def sizes(world: World) -> list[int]:
    """Of the pages, in events."""
    return [len(contents(page)) for page in world.items("log", "pages")]


@pytest.mark.parametrize("requests", REQUESTS.values(), ids=REQUESTS)
def test_three_writers_are_as_good_as_one_after_the_other(requests: dict[str, Request]) -> None:
    """Each is held before a call of its own, and then they are let go one after the other."""
    together = 0
    for held in product(range(11), range(11), (0, 4)):
        world, answers = crowded(3), dict[str, dict[str, Any]]()

        def write(name: str, world: World = world, answers: dict[str, dict[str, Any]] = answers) -> None:
            answers[name] = world.store(*requests[name])

        with taking_turns(world) as turns:
            schedule = "".join(name * calls for name, calls in zip("ABC", held, strict=True))
            turns.run({name: partial(write, name) for name in requests}, schedule)

        world.assert_sound()
        stored = [event["eventId"] for answer in answers.values() for event in answer.get("events", [])]
        assert sorted(stored) == sorted(event["eventId"] for event in world.log()[1:]), held
        assert stored
        assert world.pending() == []
        for name, answer in answers.items():
            if "events" in answer:
                assert world.store(*requests[name]) == answer, "not recognised when it is repeated"
        together += len(sizes(world)) < 1 + sum("events" in answer for answer in answers.values())
    if requests is REQUESTS["requests that go together"]:
        assert together > 50, "hardly any were stored together"


class Failing:
    """The process A dies, or has an error, at the call with this number: before it, or once it has taken effect."""

    def __init__(self, world: World, number: int, fault: BaseException, effective: bool) -> None:
        self._number, self._fault, self._calls = number, fault, count()
        self.struck = False
        self._before = world.before
        if effective:
            world.after = self._strike
        else:
            world.before = self._before_call

    def _before_call(self) -> None:
        self._before()
        self._strike()

    def _strike(self) -> None:
        if threading.current_thread().name == "A" and next(self._calls) == self._number:
            self.struck = True
            raise self._fault


FAULTS: dict[str, Callable[[], BaseException]] = {
    "it dies": Crash,
    "an error": lambda: ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "Call"),
}


@pytest.mark.parametrize("effective", [False, True], ids=["before the call", "after it"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("requests", REQUESTS.values(), ids=REQUESTS)
def test_a_fault_at_any_call_loses_doubles_and_tears_nothing(
    requests: dict[str, Request], fault: Callable[[], BaseException], effective: bool
) -> None:
    """A meets it; B is held meanwhile, mostly where its request is pending; C comes when both are done."""
    for held in (0, 2, 4):
        for number in count():
            world, answers = crowded(2), dict[str, dict[str, Any]]()

            def write(name: str, world: World = world, answers: dict[str, dict[str, Any]] = answers) -> None:
                with suppress(Crash, ClientError):
                    answers[name] = world.store(*requests[name])

            with taking_turns(world) as turns:
                failing = Failing(world, number, fault(), effective)
                turns.run({"A": partial(write, "A"), "B": partial(write, "B")}, "B" * held)
            world.after = lambda: None

            world.assert_sound()
            seen = world.log()
            write("C")
            world.assert_sound()
            assert world.log()[: len(seen)] == seen
            for name in "BC":
                refused = "error" in answers[name]
                assert world.store(*requests[name]) == answers[name] or refused, (number, name)
            repeated = world.store(*requests["A"])
            if "A" in answers and "events" in answers["A"]:
                assert repeated == answers["A"]
            world.assert_sound()
            log = {event["eventId"] for event in world.log()}
            for answer in (*answers.values(), repeated):
                assert {event["eventId"] for event in answer.get("events", [])} <= log
            if not failing.struck:
                break
        assert number > 5


def pend(world: World, *events: Event) -> None:
    """Of a process that dies once it has left its request."""

    def after() -> None:
        if len(world.pending()) > before:
            raise Crash

    before = len(world.pending())
    world.after = after
    with pytest.raises(Crash):
        world.store(*events)
    world.after = lambda: None


def test_requests_that_were_left_by_the_dead_are_stored_by_the_next_one_in_one_page() -> None:
    world = crowded(100)
    for name in ("josh", "liz"):
        pend(world, event(name, 1), event(name, 2))

    world.crowd(1)
    world.store(event("ann", 2))

    assert sizes(world) == [1, 5]
    world.assert_sound()
    repeated = world.store(event("josh", 1), event("josh", 2))
    assert repeated["events"] == world.aggregate("josh")


def test_a_request_whose_versions_are_missing_does_not_wait() -> None:
    """It would be refused now, and could be stored later."""
    world = crowded(100)

    assert world.store(event("ann", 3))["error"]["currentVersion"] == 1
    pend(world, event("ann", 2))
    assert world.store(event("ann", 3))["error"]["currentVersion"] == 1


def test_a_request_may_build_on_events_of_the_last_page_that_are_not_in_their_table_yet() -> None:
    world = World()

    def before_event() -> None:
        if len(world.items("log", "pages")) == 2:
            raise Crash

    world.before = before_event
    with pytest.raises(Crash):
        world.store(event("ann", 2))
    world.before = lambda: None
    world.crowd(100)
    pend(world, event("ann", 3))

    assert versions(world.aggregate("ann")) == [1, 2]


def test_a_page_takes_along_no_more_than_it_holds() -> None:
    world = crowded(1000)
    texts = [Random(n).randbytes(INLINE_BYTES // 3).hex() for n in range(20)]
    for n, text in enumerate(texts):
        pend(world, event(f"of {n}", 1, text=text))
    world.crowd(1)
    world.store(event("ann", 2))
    [_, page] = world.items("log", "pages")

    assert 5 < len(contents(page)) < 20
    assert len(page["page"]["B"]) <= COMBINED_BYTES
    assert page["crowd"] == {"N": "21"}


def test_a_large_request_takes_others_along() -> None:
    world = crowded(100)
    pend(world, event("josh", 1))
    world.crowd(1)
    world.store(event("ann", 2, text=Random(1).randbytes(3 * COMBINED_BYTES // 2).hex()))

    assert sizes(world) == [1, 2]
    world.assert_sound()


def test_what_has_long_been_pending_is_removed_and_not_stored() -> None:
    world = crowded(100)
    pend(world, event("josh", 1))
    [left] = world.pending()
    world.put_item(TableName="pending", Item={**left, "until": to_attribute(int(left["until"]["N"]) - 3600)})
    world.crowd(1)
    world.store(event("ann", 2))

    assert world.aggregate("josh") == []
    assert world.pending() == []


def test_an_append_leaves_its_request_once_the_table_for_that_is_no_longer_throttled() -> None:
    world, calls, left = crowded(100), count(), list[int]()

    def before() -> None:
        if next(calls) == 1:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "PutItem")

    world.before = before
    world.after = lambda: left.append(len(world.pending()))
    assert "events" in world.store(event("ann", 2))
    assert max(left) == 1
    world.before = world.after = lambda: None
    world.assert_sound()
    assert world.pending() == []

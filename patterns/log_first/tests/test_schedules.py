"""Two processes at once, in every order of their AWS calls: writers, and a reader; and one that died at each call.

What the model of the protocol (`tests/log_first`) shows of the protocol, this shows of the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from testkit.examples import Event, event, versions
from testkit.faults import Crash
from testkit.simulation import Instant, virtual_retries
from tests.sequencer.turns import Choice, every_schedule

from . import contention
from .world import Request, World, taking_turns

RIVALS: dict[str, tuple[Request, Request]] = {
    "requests that exclude each other": ([event("ann", 2, by="A")], [event("ann", 2, by="B")]),
    "requests that go together": ([event("ann", 2)], [event("josh", 1)]),
    "requests of which one builds on the other": ([event("ann", 2)], [event("ann", 3)]),
}


@pytest.fixture(autouse=True)
def instant() -> Iterator[None]:
    with virtual_retries(Instant(), 1, *contention.MODULES):
        yield


@pytest.mark.parametrize("requests", RIVALS.values(), ids=RIVALS)
def test_two_writers_are_as_good_as_one_after_the_other_in_every_order_of_their_calls(
    requests: tuple[Request, Request],
) -> None:
    def run(schedule: str) -> list[Choice]:
        world, answers = World(), dict[str, dict[str, Any]]()

        def write(name: str, request: Request) -> None:
            answers[name] = world.store(*request)

        with taking_turns(world) as turns:
            workers = {name: lambda n=name, r=r: write(n, r) for name, r in zip("AB", requests, strict=True)}
            choices = turns.run(workers, schedule)

        world.assert_sound()
        stored = [event["eventId"] for answer in answers.values() for event in answer.get("events", [])]
        assert sorted(stored) == sorted(event["eventId"] for event in world.log()[1:])
        assert any("events" in answer for answer in answers.values())
        for request, answer in ((requests[0], answers["A"]), (requests[1], answers["B"])):
            if "events" in answer:
                assert world.store(*request) == answer, "not recognised when it is repeated"
        return choices

    assert len(list(every_schedule(run))) > 100


def test_a_repeated_request_that_sees_a_part_of_the_first_attempt_is_not_refused() -> None:
    """The first attempt is let go for some calls while the second is held before each of its own in turn."""
    request = [event("ann", 2), event("ann", 3)]
    for held_at in range(1, 7):
        for calls in range(1, 8):
            world, answers = World(), list[dict[str, Any]]()

            def write(world: World = world, answers: list[dict[str, Any]] = answers) -> None:
                answers.append(world.store(*request))

            with taking_turns(world) as turns:
                turns.run({"A": write, "B": write}, "A" * held_at + "B" * calls)

            assert "events" in answers[0], f"refused, and stored: held at call {held_at}, after {calls} of the other"
            assert answers[0] == answers[1]
            world.assert_sound()


def test_a_reader_sees_a_request_whole_or_not_at_all_and_what_it_saw_stays_in_every_order_of_calls() -> None:
    """The request puts three events in an order of its own; the reader reads its aggregate, and then the log."""

    def run(schedule: str) -> list[Choice]:
        world, seen = World(), list[list[Event]]()

        def read() -> None:
            seen.extend([world.aggregate("ann"), world.log()])

        with taking_turns(world) as turns:
            request = [event("ann", 2), event("ann", 3), event("josh", 1)]
            choices = turns.run({"A": lambda: world.store(*request), "B": read}, schedule)

        aggregate, log = seen
        assert versions(aggregate) in ([1], [1, 2, 3])
        assert len(log) in (1, 4)
        assert len(log) >= len(aggregate)
        world.assert_sound()
        return choices

    assert len(list(every_schedule(run))) > 100


@pytest.mark.parametrize("text", ["", Random(1).randbytes(20_000).hex()], ids=["small", "large"])
def test_a_writer_that_dies_at_any_call_leaves_a_request_that_all_readers_see_or_none(text: str) -> None:
    request = [event("ann", 2, text=text), event("ann", 3), event("josh", 1)]
    died = [dies_at(number, request) for number in range(20)]

    assert died[0] == 1, "not stored, and nobody sees it"
    assert 4 in died, "stored, and its events not yet in their table"


def dies_at(number: int, request: Request) -> int:
    """How many events the readers see after a writer has died before a call; then another writer comes."""
    world, calls = World(), iter(range(100))

    def before() -> None:
        if next(calls) == number:
            raise Crash

    world.before = before
    with suppress(Crash):
        world.store(*request)
    world.before = lambda: None
    world.assert_sound()
    seen = world.log()
    assert len(seen) in (1, 4)

    assert "events" in world.store(event("other", 1))
    world.assert_sound()
    assert world.log()[: len(seen)] == seen
    repeated = world.store(*request)["events"]
    assert repeated == [event for event in world.log() if event["aggregateId"] != "other"][1:]
    return len(seen)

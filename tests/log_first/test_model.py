"""The protocol of `log_first` holds in every state that it can reach; and it needs each of its parts."""

from __future__ import annotations

import pytest

from tests.log_first.model import WITHOUT, Broken, Universe, explore

A1, A2, A3, B1, B2, C1 = ("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("c", 1)

UNIVERSES = {
    "requests that overlap": Universe({"r": [A1], "s": [A1, B1], "t": [B1, B2]}, crashes=2),
    "requests that build on one another": Universe({"r": [A1], "s": [A2], "t": [A2, B1]}, crashes=2),
    "events put in parallel": Universe({"r": [A1, A2, B1], "s": [A1, C1]}, readers="a", crashes=2),
    "a repeated request": Universe({"r": [A1, B1], "r'": [A1, B1], "s": [A1]}, crashes=2),
    "a request repeated too early": Universe({"q": [A1], "r": [A2, A3], "r'": [A2, A3]}),
    "a large request": Universe({"r": [A1], "s": [A1, B1]}, large="r", readers="*"),
    "readers of two aggregates": Universe({"r": [A1], "s": [A2, B1]}, readers="ab"),
    "a reader and three writers": Universe({"r": [A1], "s": [A2, B1], "t": [B1]}, readers="a", lost_answers=0),
    "writers that have read": Universe({"r": [A1], "s": [A1, B1], "t": [A2]}, loaders="rst", lost_answers=0),
    "pending requests that overlap": Universe({"r": [A1], "s": [A1, B1], "t": [B1]}, combining="rst", lost_answers=0),
    "pending requests that build on others": Universe(
        {"r": [A1], "s": [A2], "t": [B1]}, combining="st", lost_answers=0
    ),
    "a repeated request that is pending": Universe(
        {"r": [A1, B1], "r'": [A1, B1], "s": [C1]}, combining=("r", "r'"), lost_answers=0
    ),
    "pending requests that are removed": Universe({"r": [A1], "s": [B1]}, combining="rs", readers="a", removed=1),
}
STATES = 216_881

CAUGHT_BY = {
    "help": "requests that overlap",
    "tail first": "requests that overlap",
    "the same tail": "writers that have read",
    "the last put last": "requests that overlap",
    "a free position": "requests that build on one another",
    "body first": "a large request",
    "own events": "requests that build on one another",
    "request id": "a repeated request",
    "starting over": "a request repeated too early",
    "merging": "readers of two aggregates",
    "reading the tail first": "readers of two aggregates",
    "stopping at the tail": "events put in parallel",
    "stored versions": "pending requests that build on others",
    "fitting": "pending requests that overlap",
    "fitting after the tail": "pending requests that overlap",
    "one after the other": "pending requests that overlap",
}


def test_no_promise_is_broken_in_any_state() -> None:
    assert sum(explore(universe) for universe in UNIVERSES.values()) == STATES


@pytest.mark.parametrize("part", WITHOUT)
def test_the_protocol_needs(part: str) -> None:
    with pytest.raises(Broken):
        explore(UNIVERSES[CAUGHT_BY[part]], without=part)

"""What a pattern's sheet says, in words, and the two figures that follow from it; see patterns/pattern.schema.json."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

KB = 1024

MEANINGS: dict[str, dict[Any, tuple[str, str]]] = {
    "global_order": {
        "total": ("total", "one order of all events, that all readers agree on and that never changes"),
        "clock": ("by clocks", "all events in the order of the writers' clocks; within an aggregate, by version"),
    },
    "read_all": {
        "strong": ("at once", "an event is in `get_all_events` once `store_events` has returned"),
        "eventual": ("later", "an event is in `get_all_events` some time after `store_events` has returned"),
    },
    "late_events": {
        True: ("possible", "an event can appear behind an offset that a reader has already passed"),
        False: ("never", "no event ever appears behind an offset that a reader has passed"),
    },
    "dense_offsets": {
        True: ("1, 2, 3 …", "offsets count without holes, so a reader can prove that it missed nothing"),
        False: ("with holes", "offsets rise, with holes between them"),
    },
    "tamper_evident": {
        True: ("yes", "an outsider can detect a change to history"),
        False: ("no", "who may write to the tables may rewrite history unnoticed"),
    },
}
"""For each guarantee: a word for the comparison, and a sentence for the pattern's own README."""

HEADINGS = {
    "global_order": "order of all events",
    "read_all": "visible to readers of all",
    "late_events": "late events",
    "dense_offsets": "offsets",
    "tamper_evident": "tamper-evident",
}

_COUNTED = ("requests", "write_units", "read_units")


def one_more_event(costs: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Requests and units of an append to an aggregate that exists, and of carrying the event into the log.

    What a pattern does behind an append is what 50 first events take, each, beyond what one alone takes.
    """

    def counted(workload: str, what: str) -> float:
        return float(costs[workload].get(what, 0))

    return {
        what: counted("later_event", what) + counted("fifty_appends", what) - counted("first_event", what)
        for what in _COUNTED
    }


def sustained(ceilings: Sequence[Mapping[str, Any]], size: int = KB) -> float | None:
    """Appends a second, each of one event of `size` bytes, that a store sustains, spread over many aggregates.

    None if no ceiling bounds them, because none is published.
    """
    whole_kb = math.ceil(size / KB)
    divisors = {"appends": 1, "kilobytes": whole_kb}
    return min(
        (ceiling["value"] / divisors[ceiling["bounds"]] for ceiling in ceilings if "bounds" in ceiling), default=None
    )

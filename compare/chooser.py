"""The decision guide: sentences made of the figures that carry over, so that none says what was not measured.

Patterns are named by the figures, never here. `compare.keep` writes the guide into the README from kept figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from compare.words import dollars, listed, number, or_dash, rate, size
from compare.workloads import HIGHEST_RATE, KB, TOLD_RATES

Json = Mapping[str, Any]

ANYTHING = "Cost is all that counts"

NEEDS: Mapping[str, Callable[[Json], bool]] = {
    ANYTHING: lambda guarantees: True,
    "All readers must agree on one order of all events": lambda guarantees: guarantees["global_order"] == "total",
    "No event may appear behind an offset that a reader has passed": lambda guarantees: not guarantees["late_events"],
    "A reader must be able to prove that it missed nothing": lambda guarantees: guarantees["dense_offsets"],
    "An event must show to readers of all events at once": lambda guarantees: guarantees["read_all"] == "strong",
    "A change to history must be detectable from outside": lambda guarantees: guarantees["tamper_evident"],
}
"""What a person may need of a store, and which guarantees give it."""


@dataclass(frozen=True)
class Advice:
    """`when` is what a person needs; `then` what the figures say to that. Names of patterns stand in backquotes."""

    when: str
    then: str


def advice(carries_over: Json) -> list[Advice]:
    """Question by question, from the figures of one comparison."""
    patterns: Json = carries_over["patterns"]
    said = [Advice(need, _for_need(need, carries_over)) for need in NEEDS]
    said += [
        Advice("Most of the time nothing happens", _idle(patterns)),
        Advice("There is a lot to write", _sustained(patterns)),
    ]
    return [each for each in said if each.then]


def month_table(patterns: Json, of_size: int) -> tuple[list[str], list[list[str]]]:
    """Header and rows: what a month costs with each pattern, by rate, as far as it bears that."""
    header = ["dollars a month", "nothing", *(f"{rate(each)}" for each in TOLD_RATES)]
    rows = [
        [f"`{name}`", dollars(pattern["money"]["idle_month"])]
        + [or_dash(dollars, amount) for amount in pattern["money"]["month"][str(of_size)]]
        for name, pattern in patterns.items()
    ]
    return header, rows


def markdown(carries_over: Json) -> str:
    """The guide for the README: the advice, and the months of small events."""
    questions = [[each.when, each.then] for each in advice(carries_over)]
    header, rows = month_table(carries_over["patterns"], KB)
    return "\n".join(
        [
            *_markdown_table(["what you need", "what the figures say"], questions),
            "",
            f"What a month costs, with events of {size(KB)}, by the rate of appends:",
            "",
            *_markdown_table(header, rows),
            *_caveat(carries_over["patterns"]),
        ]
    )


def _caveat(patterns: Json) -> Iterator[str]:
    """What the months of a pattern rest on whose load nobody published."""
    if untold := [name for name, pattern in patterns.items() if pattern["sustained"][str(KB)] is None]:
        yield ""
        yield (
            f"A dash is beyond the pattern's ceiling. For {listed(_quoted(untold))} AWS publishes none, nor what a "
            "request takes of the capacity: above its minimum that is a guess, and the list of prices calls it one. "
            "Measure yours."
        )


def cheapest(stretches: Sequence[Json]) -> str:
    """`a` up to 3 a second, then `b`."""
    if not stretches:
        return ""
    *firsts, last = [(f"`{each['name']}`", each["high"]) for each in stretches]
    said = [f"{name} up to {rate(high)}" for name, high in firsts]
    name, high = last
    if high < HIGHEST_RATE:
        return ", then ".join([*said, f"{name} up to {rate(high)}, where its ceiling is"])
    return ", then ".join([*said, name]) if said else f"{name} at every rate"


def _for_need(need: str, carries_over: Json) -> str:
    patterns: Json = carries_over["patterns"]
    fitting = [name for name, pattern in patterns.items() if NEEDS[need](pattern["guarantees"])]
    if not fitting:
        return ""
    if len(fitting) == 1 < len(patterns):
        return f"Only `{fitting[0]}` does."
    by_size = carries_over["cheapest"][need].items()
    by_the_month = "; ".join(f"of {size(of_size)} {cheapest(stretches)}" for of_size, stretches in by_size)
    if len(fitting) < len(patterns):
        return f"{listed(_quoted(fitting))} do. The cheapest of them by the month, with events {by_the_month}."
    return f"{'' if need == ANYTHING else 'All of them do. '}The cheapest by the month, with events {by_the_month}."


def _idle(patterns: Json) -> str:
    by_cost = sorted(patterns, key=lambda name: (patterns[name]["money"]["idle_month"], name))
    cheap, dear = (dollars(patterns[name]["money"]["idle_month"]) for name in (by_cost[0], by_cost[-1]))
    if cheap == dear:
        return f"An idle month costs {cheap} with each of them, storage aside."
    return f"An idle month costs {cheap} with `{by_cost[0]}` and {dear} with `{by_cost[-1]}`, storage aside."


def _sustained(patterns: Json) -> str:
    by_rate = {name: pattern["sustained"][str(KB)] for name, pattern in patterns.items()}
    told = sorted((name for name in by_rate if by_rate[name]), key=lambda name: (-by_rate[name], name))
    said = [
        f"{listed(_quoted(list(names)))} {number(value)}" for value, names in groupby(told, lambda name: by_rate[name])
    ]
    parts = [f"Appends of {size(KB)} that are borne for ever, by the second: {', '.join(said)}."] if said else []
    untold = [name for name in by_rate if by_rate[name] is None]
    parts += [f"For {listed(_quoted(untold))} AWS publishes no such number."] if untold else []
    return " ".join(parts)


def _markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _quoted(names: Sequence[str]) -> list[str]:
    return [f"`{name}`" for name in names]

"""The decision guide: sentences made of the figures that carry over, so that none says what was not measured.

Patterns are named by the figures, never here. `tools.tables` writes the guide into the README from kept figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compare.words import dollars, listed, number, rate, size
from compare.workloads import KB

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Advice:
    """`when` is what a person needs; `then` what the figures say to that. Names of patterns stand in backquotes."""

    when: str
    then: str


def advice(carries_over: Json) -> list[Advice]:
    """Question by question, from the figures of one comparison."""
    patterns: Json = carries_over["patterns"]
    needs: list[tuple[str, Callable[[Json], bool]]] = [
        ("All readers must agree on one order of all events", lambda sheet: sheet["global_order"] == "total"),
        ("No event may appear behind an offset that a reader has passed", lambda sheet: not sheet["late_events"]),
        ("A reader must be able to prove that it missed nothing", lambda sheet: sheet["dense_offsets"]),
        ("An event must show to readers of all events at once", lambda sheet: sheet["read_all"] == "strong"),
        ("A change to history must be detectable from outside", lambda sheet: sheet["tamper_evident"]),
    ]
    said = [Advice("Cost is all that counts", _cheapest(patterns))]
    said += [Advice(when, _for_need(patterns, need)) for when, need in needs]
    said += [
        Advice("Events are large", _large(patterns)),
        Advice("Most of the time nothing happens", _idle(patterns)),
        Advice("The load grows", _crossings(carries_over)),
        Advice("There is a lot to write", _ceilings(patterns)),
    ]
    return [each for each in said if each.then]


def markdown(carries_over: Json) -> str:
    rows = ["| what you need | what the figures say |", "|---|---|"]
    return "\n".join([*rows, *(f"| {each.when} | {each.then} |" for each in advice(carries_over))])


def _for_need(patterns: Json, need: Callable[[Json], bool]) -> str:
    fitting = {name: pattern for name, pattern in patterns.items() if need(pattern["guarantees"])}
    if not fitting:
        return ""
    if len(fitting) == len(patterns):
        return "All of them do."
    if len(fitting) == 1:
        [(name, pattern)] = fitting.items()
        return f"Only `{name}` does, at {dollars(_append(pattern))} for a million appends, capacity by the hour aside."
    return f"{listed(_quoted(fitting))} do. Of these: {_cheapest(fitting)}"


def _cheapest(patterns: Json) -> str:
    slow = _order(patterns, lambda pattern: _append(pattern, "append_slow"))
    fast = _order(patterns, lambda pattern: _append(pattern, "append_fast"))
    least = dollars(_append(patterns[slow[0]]))
    what = "the cheapest by the append, capacity by the hour aside"
    said = f"`{slow[0]}` is {what}: {least} a million of 1 KB at 1 a second"
    if len(slow) > 1:
        said += f" (next: `{slow[1]}`, {dollars(_append(patterns[slow[1]]))})"
    if fast[0] != slow[0]:
        said += f"; at 100 a second it is `{fast[0]}`, {dollars(_append(patterns[fast[0]], 'append_fast'))}"
    return said + "."


def _large(patterns: Json) -> str:
    order = _order(patterns, lambda pattern: _append(pattern, "append_slow", 10 * KB))
    first, last = order[0], order[-1]
    if first == last:
        return ""
    cheap, dear = (dollars(_append(patterns[name], "append_slow", 10 * KB)) for name in (first, last))
    return f"Of 10 KB, a million appends cost {cheap} with `{first}` and {dear} with `{last}`."


def _idle(patterns: Json) -> str:
    order = _order(patterns, lambda pattern: pattern["money"]["idle_month"])
    first, last = order[0], order[-1]
    cheap, dear = (dollars(patterns[name]["money"]["idle_month"]) for name in (first, last))
    if cheap == dear:
        return f"An idle month costs {cheap} with each of them, storage aside."
    return f"An idle month costs {cheap} with `{first}` and {dear} with `{last}`, storage aside."


def _crossings(carries_over: Json) -> str:
    said = [
        f"for events of {size(of_size)}, from {rate(crossing['rate'])} on, `{crossing['above']}` is cheaper than "
        f"`{crossing['below']}`"
        for of_size, crossings in carries_over["crossovers"].items()
        for crossing in crossings
    ]
    if said:
        return f"By the month: {'; '.join(said)}."
    return "By the month, no pattern overtakes another in cost up to 100 appends a second."


def _ceilings(patterns: Json) -> str:
    said = []
    for name, pattern in patterns.items():
        ceiling = pattern["ceilings"][0]
        said.append(f"`{name}`: {number(ceiling['value'])} {ceiling['unit']} ({ceiling['what']})")
    return f"The ceilings: {'; '.join(said)}."


def _append(pattern: Json, which: str = "append_slow", of_size: int = KB) -> float:
    return float(pattern["money"]["million"][str(of_size)][which])


def _order(patterns: Json, cost: Callable[[Json], float]) -> list[str]:
    return sorted(patterns, key=lambda name: (cost(patterns[name]), name))


def _quoted(names: Mapping[str, Any] | Sequence[str]) -> list[str]:
    return [f"`{name}`" for name in names]

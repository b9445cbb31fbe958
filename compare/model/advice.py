"""Which store suits which need, and which of them is the cheapest at which rate of appends.

Patterns are named by the figures, never here.
"""

import math
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Any

NEEDS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "Cost is all that counts": lambda guarantees: True,
    "All readers must agree on one order of all events": lambda guarantees: guarantees["global_order"] == "total",
    "No event may appear behind an offset that a reader has passed": lambda guarantees: not guarantees["late_events"],
    "A reader must be able to prove that it missed nothing": lambda guarantees: guarantees["dense_offsets"],
    "An event must show to readers of all events at once": lambda guarantees: guarantees["read_all"] == "strong",
    "A change to history must be detectable from outside": lambda guarantees: guarantees["tamper_evident"],
}
"""What a person may need of a store, and which guarantees give it."""


@dataclass(frozen=True)
class Curve:
    """What a month costs by the rate of appends, as far as the store sustains them."""

    cost: Callable[[float], float]
    highest: float = math.inf

    def at(self, rate: float) -> float | None:
        return self.cost(rate) if rate <= self.highest else None


@dataclass(frozen=True)
class Stretch:
    """Rates between which one store is the cheapest."""

    name: str
    low: float
    high: float


def cheapest(curves: Mapping[str, Curve], rates: tuple[float, float], among: Container[str]) -> list[Stretch]:
    """Which store of those `among` to take at which rate, from the lowest rate on; nothing where none sustains it.

    One that is the cheapest for less than 10 % of a rate may be missed, like a crossing and its return.
    """
    curves = {name: curve for name, curve in sorted(curves.items()) if name in among}
    low, high = rates
    ends = sorted({low, high, *(curve.highest for curve in curves.values() if low < curve.highest < high)})
    found: list[Stretch] = []
    for start, end in pairwise(ends):
        able = {name: curve.cost for name, curve in curves.items() if curve.highest >= end}
        for stretch in _cheapest(able, start, end) if able else ():
            if found and found[-1].name == stretch.name:
                stretch = replace(stretch, low=found.pop().low)
            found.append(stretch)
    return found


def crossovers(curves: Mapping[str, Curve], rates: tuple[float, float]) -> list[tuple[float, str, str]]:
    """For each pair that crosses while both sustain the rate: that from which on the second is the cheaper one."""
    found: list[tuple[float, str, str]] = []
    for pair in combinations(sorted(curves), 2):
        end = min(rates[1], *(curves[name].highest for name in pair))
        first, *others = cheapest(curves, (rates[0], end), pair)
        found += [(first.high, first.name, then.name) for then in others[:1]]
    return sorted(found)


def _cheapest(costs: Mapping[str, Callable[[float], float]], low: float, high: float) -> Iterator[Stretch]:
    def best(rate: float) -> str:
        return min(costs, key=lambda name: costs[name](rate))

    rate = low
    while rate < high:
        name, following = best(rate), min(rate * 1.1, high)
        if best(following) != name:
            following = _bisect(lambda at, name=name: best(at) != name, rate, following)  # type: ignore[misc]
        yield Stretch(name, rate, following)
        rate = following


def _bisect(crossed: Callable[[float], bool], low: float, high: float) -> float:
    """Exact to a millionth of itself."""
    while high / low > 1.000001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if crossed(middle) else (middle, high)
    return high

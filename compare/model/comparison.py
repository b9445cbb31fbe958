"""All figures of a comparison, as JSON: what carries over to AWS apart from what is the emulator's own time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from compare.measure.resource_use import ResourceUse
from compare.measure.workloads import CURVE_SIZES, FAST, OPERATIONS, RATES, SIZES, SLOW, TOLD_RATES
from compare.model import ceilings, late_events
from compare.model.advice import NEEDS, Curve, cheapest, crossovers
from compare.model.costs import MILLION, PRICES, Costs, Infrastructure, Prices, Profile, Work
from tools.sheets import sustained

Json = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """One pattern, as far as it carries over to AWS: the same to the last digit in each run of one checkout."""

    name: str
    sheet: Json
    infrastructure: Infrastructure
    operations: Mapping[str, Mapping[str, ResourceUse]]
    """By size of events, and by operation."""
    profiles: Mapping[int, Profile]
    faults: Json
    package_bytes: int

    def curve(self, costs: Costs, size: int) -> Curve:
        """What a month of events of this size costs, by their rate."""
        highest, profile = sustained(self.sheet["ceilings"], size), self.profiles[size]
        return Curve(
            lambda rate: costs.month(self.infrastructure, profile, rate),
            math.inf if highest is None else highest,
        )


def compare(patterns: Sequence[Measured], timings: Mapping[str, Json], place: str, prices: Prices) -> Json:
    """The whole comparison."""
    costs = Costs(prices)
    curves = {size: {each.name: each.curve(costs, size) for each in patterns} for size in CURVE_SIZES}
    by_clock = any(each.sheet["guarantees"]["global_order"] == "clock" for each in patterns)
    return {
        "place": place,
        "prices": {"file": PRICES.name, **prices.table},
        "workloads": {name: workload.what for name, workload in OPERATIONS.items()},
        "carries_over": {
            "patterns": {each.name: {**_measured(each), "money": _money(each, costs, curves)} for each in patterns},
            "crossovers": {str(size): _crossovers(curves[size]) for size in SIZES},
            "cheapest": {
                need: {
                    str(size): [asdict(stretch) for stretch in cheapest(curves[size], RATES, among)] for size in SIZES
                }
                for need, fits in NEEDS.items()
                for among in [{each.name for each in patterns if fits(each.sheet["guarantees"])}]
            },
            "late": [asdict(share) for share in late_events.shares()] if by_clock else [],
        },
        "timing": dict(timings),
    }


def _measured(pattern: Measured) -> Json:
    bounds = pattern.sheet["ceilings"]
    return {
        **{line: pattern.sheet[line] for line in ("title", "summary", "guarantees")},
        "ceilings": [{**each, "past": [asdict(point) for point in ceilings.past(each)]} for each in bounds],
        "sustained": {str(size): sustained(bounds, size) for size in CURVE_SIZES},
        "package_bytes": pattern.package_bytes,
        "operations": {
            size: {name: use.figures() for name, use in uses.items()} for size, uses in pattern.operations.items()
        },
        "faults": pattern.faults,
        "stored_bytes": {str(size): profile.stored_bytes for size, profile in pattern.profiles.items()},
    }


def _money(pattern: Measured, costs: Costs, curves: Mapping[int, Mapping[str, Curve]]) -> Json:
    own = {size: of_size[pattern.name] for size, of_size in curves.items()}
    return {
        "idle_month": costs.idle_month(pattern.infrastructure),
        "million": {str(size): _million(pattern, costs, size) for size in SIZES},
        "months": {str(size): _months(own[size]) for size in SIZES},
        "month": {str(size): [own[size].at(rate) for rate in TOLD_RATES] for size in SIZES},
        "by_size": {str(size): [curve.at(rate) for rate in (SLOW, FAST)] for size, curve in own.items()},
    }


def _million(pattern: Measured, costs: Costs, size: int) -> dict[str, float | None]:
    """Dollars for a million of each. An append includes the way into the log, at two rates; None is beyond it."""
    there, profile, used = pattern.infrastructure, pattern.profiles[size], pattern.operations[str(size)]

    def million(work: Work, function: str) -> float:
        return costs.per_million(work, there.functions[function])

    append = million(profile.append, "store_events")
    slow, fast = (costs.prices.dollars(costs.pipeline(there, profile, rate)) * MILLION for rate in (SLOW, FAST))
    return {
        "append_slow": append + slow,
        "append_fast": append + fast if pattern.curve(costs, size).highest >= FAST else None,
        "append_10": million(used["append_10"].work, "store_events") + 10 * fast,
        "read_aggregate": million(used["read_aggregate"].work, "get_aggregate_events"),
        "read_page": million(used["read_page"].work, "get_all_events"),
    }


def _months(curve: Curve) -> list[list[float]]:
    """Rates and dollars, evenly on a logarithmic axis, up to the rate that the store sustains."""
    lowest, highest = RATES
    steps = round(6 * math.log10(highest / lowest))  # 6 for each power of ten make a smooth curve
    rates = [lowest * 10 ** (step / 6) for step in range(steps + 1)]
    end = min(highest, curve.highest)
    return [[rate, curve.cost(rate)] for rate in [*(rate for rate in rates if rate < end), end]]


def _crossovers(curves: Mapping[str, Curve]) -> list[Json]:
    return [
        {"rate": rate, "below": below, "above": above, "dollars": curves[above].cost(rate)}
        for rate, below, above in crossovers(curves, RATES)
    ]

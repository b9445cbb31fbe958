"""All figures of a comparison, as JSON: what carries over to AWS apart from what is the emulator's own time.

What stands under `carries_over` is the same to the last digit in each run of one checkout; a test runs it twice.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compare import bench, ceilings, chooser, exact, faulty, history, late
from compare.costs import MILLION, PRICES, Costs, Curve, Load, Prices, Profile, Standing, cheapest, crossovers, rates
from compare.exact import Bench
from compare.stage import Deployed
from compare.standing import standing
from compare.timings import Range, Timer
from compare.workloads import CURVE_SIZES, FAST, HIGHEST_RATE, LOWEST_RATE, OPERATIONS, SIZES, SLOW, TOLD_RATES
from tools import package, sheets
from tools.console import progress

Json = dict[str, Any]

INIT_RUNS = 7


@dataclass(frozen=True)
class Measured:
    """One pattern, as far as it carries over: the figures, and what the cost model took them from."""

    deployed: Deployed
    figures: Json
    standing: Standing
    profiles: Mapping[int, Profile]

    def curve(self, costs: Costs, size: int) -> Curve:
        """What a month of events of this size costs, by their rate."""
        bears = self.figures["sustained"][str(size)]
        return Curve(
            lambda rate: costs.month(self.standing, self.profiles[size], Load(rate)),
            math.inf if bears is None else bears,
        )


def carrying_over(deployed: Deployed, prices: Prices) -> Measured:
    """Everything of one pattern that an emulator can tell about AWS."""
    name, sheet = deployed.pattern.name, deployed.pattern.sheet
    costs = Costs(prices)
    there = standing(deployed.state, deployed.functions, prices)
    with exact.bench(deployed, prices) as on:
        progress(f"{name}: calls, units and bytes")
        operations = exact.operations(on)
        progress(f"{name}: costs by size of events")
        profiles = exact.profiles(on)
        progress(f"{name}: faults")
        under_faults = faults(on, sheet)
    figures: Json = {
        "title": sheet["title"],
        "summary": sheet["summary"],
        "guarantees": sheet["guarantees"],
        "ceilings": [_ceiling(each) for each in sheet["ceilings"]],
        "sustained": {str(size): sheets.sustained(sheet["ceilings"], size) for size in CURVE_SIZES},
        "package_bytes": package.build(deployed.pattern).stat().st_size,
        "operations": exact.as_json(operations),
        "faults": under_faults,
        "stored_bytes": {str(size): profile.stored_bytes for size, profile in profiles.items()},
    }
    measured = Measured(deployed, figures, there, profiles)
    figures["money"] = _money(measured, costs, operations)
    return measured


def faults(on: Bench, sheet: Mapping[str, Any]) -> Json:
    """By kind of fault: how often it was tried, what came of it, and what the checker found wrong."""
    return {
        kind: {
            "trials": seen.trials,
            "outcomes": dict(sorted(seen.outcomes.items())),
            "anomalies": dict(sorted(seen.anomalies.items())),
        }
        for kind, seen in faulty.behaviour(on, sheet["guarantees"]).items()
    }


def timing(deployed: Deployed, folder: Path) -> Json:
    """Everything of one pattern that only the place tells where it was measured. The history is kept in `folder`."""
    name = deployed.pattern.name
    timer = Timer(deployed.answer(), deployed.pattern.sheet["guarantees"], lambda line: progress(f"{name}: {line}"))
    measured = timer.run()
    history.save(timer.history, folder / f"{name}.history.jsonl")
    return asdict(measured)


def init(deployed: Deployed) -> Json:
    """How long a package takes to start, over a program that only makes a boto3 client."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(package.build(deployed.pattern)).extractall(folder)
        handler, bare = bench.init_seconds(Path(folder), deployed.environment, bytecode=False, runs=INIT_RUNS)
    base = statistics.median(bare)
    return asdict(Range.of([each / base for each in handler]))


def together(measured: Sequence[Measured], timings: Mapping[str, Json], place: str, prices: Prices) -> Json:
    """The whole comparison."""
    return {
        "place": place,
        "prices": {"file": PRICES.name, **prices.table},
        "workloads": {name: workload.what for name, workload in OPERATIONS.items()},
        "carries_over": {
            "patterns": {each.deployed.pattern.name: each.figures for each in measured},
            "crossovers": {str(size): _crossovers(measured, prices, size) for size in SIZES},
            "cheapest": {need: _cheapest(measured, prices, fits) for need, fits in chooser.NEEDS.items()},
            "late": [asdict(share) for share in late.shares()] if _any_by_clock(measured) else [],
        },
        "timing": dict(timings),
    }


def _any_by_clock(measured: Sequence[Measured]) -> bool:
    return any(each.figures["guarantees"]["global_order"] == "clock" for each in measured)


def _ceiling(sheet: Mapping[str, Any]) -> Json:
    return {**sheet, "past": [asdict(point) for point in ceilings.past(sheet)]}


def _money(measured: Measured, costs: Costs, operations: Mapping[str, Mapping[str, exact.Measured]]) -> Json:
    return {
        "idle_month": costs.idle_month(measured.standing),
        "million": {str(size): _million(measured, costs, size, operations[str(size)]) for size in SIZES},
        "months": {str(size): _months(measured.curve(costs, size)) for size in SIZES},
        "month": {str(size): [_month(measured.curve(costs, size), rate) for rate in TOLD_RATES] for size in SIZES},
        "by_size": {
            str(size): [_month(measured.curve(costs, size), rate) for rate in (SLOW, FAST)] for size in CURVE_SIZES
        },
    }


def _million(
    measured: Measured, costs: Costs, size: int, operations: Mapping[str, exact.Measured]
) -> dict[str, float | None]:
    """Dollars for a million of each. An append includes the way into the log, at two rates; None is beyond it."""
    there, profile = measured.standing, measured.profiles[size]
    append = costs.per_million(profile.append, there.functions["store_events"])

    def into_the_log(rate: float) -> float:
        return costs.prices.dollars(costs.pipeline(there, profile, rate)) * MILLION

    reads = {"read_aggregate": "get_aggregate_events", "read_page": "get_all_events"}
    return {
        "append_slow": append + into_the_log(SLOW),
        "append_fast": append + into_the_log(FAST) if measured.curve(costs, size).highest >= FAST else None,
        "append_10": costs.per_million(operations["append_10"].work, there.functions["store_events"])
        + 10 * into_the_log(FAST),
        **{name: costs.per_million(operations[name].work, there.functions[by]) for name, by in reads.items()},
    }


def _months(curve: Curve) -> list[list[float]]:
    """Rates and dollars, up to the rate that the store bears."""
    end = min(HIGHEST_RATE, curve.highest)
    steps = [rate for rate in rates(LOWEST_RATE, HIGHEST_RATE, per_decade=6) if rate < end]
    return [[rate, curve.cost(rate)] for rate in [*steps, end]]


def _month(curve: Curve, rate: float) -> float | None:
    return curve.cost(rate) if rate <= curve.highest else None


def _crossovers(measured: Sequence[Measured], prices: Prices, size: int) -> list[Json]:
    curves = _curves(measured, prices, size)
    return [
        {"rate": rate, "below": below, "above": above, "dollars": curves[above].cost(rate)}
        for rate, below, above in crossovers(curves, LOWEST_RATE, HIGHEST_RATE)
    ]


def _cheapest(measured: Sequence[Measured], prices: Prices, fits: Callable[[Json], bool]) -> dict[str, list[Json]]:
    """By size, of the patterns that fit: which to take at which rate."""
    fitting = [each for each in measured if fits(each.figures["guarantees"])]
    return {
        str(size): [asdict(stretch) for stretch in cheapest(_curves(fitting, prices, size), LOWEST_RATE, HIGHEST_RATE)]
        for size in SIZES
    }


def _curves(measured: Sequence[Measured], prices: Prices, size: int) -> dict[str, Curve]:
    costs = Costs(prices)
    return {each.deployed.pattern.name: each.curve(costs, size) for each in measured}

"""All figures of a comparison, as JSON: what carries over to AWS apart from what is the emulator's own time.

What stands under `carries_over` is the same to the last digit in each run of one checkout; a test runs it twice.
"""

from __future__ import annotations

import statistics
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compare import bench, ceilings, exact, faulty, history, late
from compare.costs import MILLION, PRICES, Costs, Load, Prices, Profile, Standing, crossovers, rates
from compare.exact import Bench
from compare.stage import Deployed
from compare.standing import standing
from compare.timings import Range, Timer
from compare.workloads import CURVE_SIZES, OPERATIONS, SIZES
from tools import package
from tools.console import progress

Json = dict[str, Any]

SLOW, FAST = 1.0, 100.0
"""Appends a second for which the price of a million is told: an event has a batch for itself, or shares one."""

LOWEST_RATE, HIGHEST_RATE = 0.001, 100.0
"""Of the curves of a month's cost."""

INIT_RUNS = 7


@dataclass(frozen=True)
class Measured:
    """One pattern, as far as it carries over: the figures, and what the cost model took them from."""

    deployed: Deployed
    figures: Json
    standing: Standing
    profiles: Mapping[int, Profile]


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
        faults = _faults(on, sheet)
    figures = {
        "title": sheet["title"],
        "summary": sheet["summary"],
        "guarantees": sheet["guarantees"],
        "ceilings": [_ceiling(each) for each in sheet["ceilings"]],
        "package_bytes": package.build(deployed.pattern).stat().st_size,
        "operations": exact.as_json(operations),
        "faults": faults,
        "stored_bytes": {str(size): profile.stored_bytes for size, profile in profiles.items()},
        "money": _money(costs, there, profiles, operations),
    }
    return Measured(deployed, figures, there, profiles)


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
            "late": [asdict(share) for share in late.shares()] if _any_by_clock(measured) else [],
        },
        "timing": dict(timings),
    }


def estimate(measured: Sequence[Measured], prices: Prices, calls: int) -> float:
    """Dollars that measuring on a real account may cost: an hour of what stands there, and so many calls of each."""
    costs = Costs(prices)
    dollars = 0.0
    for each in measured:
        profile = each.profiles[SIZES[0]]
        dearest = max(costs.per_million(profile.append, 1024), costs.per_million(profile.read_aggregate, 1024))
        hour = prices.dollars(each.standing.fixed) / prices.assumed("hours_per_month")
        database = prices.unit_price("aurora_acu_hours") if each.standing.pause_seconds is not None else 0.0
        dollars += hour + database + 3 * dearest * calls / MILLION
    return dollars


def _any_by_clock(measured: Sequence[Measured]) -> bool:
    return any(each.figures["guarantees"]["global_order"] == "clock" for each in measured)


def _ceiling(sheet: Mapping[str, Any]) -> Json:
    past_it = sheet.get("past_it", ceilings.THROTTLES)
    return {**sheet, "past_it": past_it, "past": [asdict(point) for point in ceilings.past(sheet)]}


def _faults(on: Bench, sheet: Mapping[str, Any]) -> Json:
    return {
        kind: {
            "trials": seen.trials,
            "outcomes": dict(sorted(seen.outcomes.items())),
            "anomalies": dict(sorted(seen.anomalies.items())),
        }
        for kind, seen in faulty.behaviour(on, sheet["guarantees"]).items()
    }


def _money(
    costs: Costs,
    there: Standing,
    profiles: Mapping[int, Profile],
    operations: Mapping[str, Mapping[str, exact.Measured]],
) -> Json:
    return {
        "idle_month": costs.idle_month(there),
        "million": {str(size): _million(costs, there, profiles[size], operations[str(size)]) for size in SIZES},
        "months": {str(size): _months(costs, there, profiles[size]) for size in SIZES},
        "by_size": [
            [size, *(costs.month(there, profiles[size], Load(rate)) for rate in (SLOW, FAST))] for size in CURVE_SIZES
        ],
    }


def _million(
    costs: Costs, there: Standing, profile: Profile, operations: Mapping[str, exact.Measured]
) -> dict[str, float]:
    """Dollars for a million of each. An append includes the way into the log, at two rates."""
    append = costs.per_million(profile.append, there.functions["store_events"])

    def into_the_log(rate: float) -> float:
        return costs.prices.dollars(costs.pipeline(there, profile, rate)) * MILLION

    reads = {"read_aggregate": "get_aggregate_events", "read_page": "get_all_events"}
    return {
        "append_slow": append + into_the_log(SLOW),
        "append_fast": append + into_the_log(FAST),
        "append_10": costs.per_million(operations["append_10"].work, there.functions["store_events"])
        + 10 * into_the_log(FAST),
        **{name: costs.per_million(operations[name].work, there.functions[by]) for name, by in reads.items()},
    }


def _months(costs: Costs, there: Standing, profile: Profile) -> list[list[float]]:
    return [[rate, costs.month(there, profile, Load(rate))] for rate in rates(LOWEST_RATE, HIGHEST_RATE, per_decade=6)]


def _crossovers(measured: Sequence[Measured], prices: Prices, size: int) -> list[Json]:
    costs = Costs(prices)

    def month(each: Measured) -> Callable[[float], float]:
        return lambda rate: costs.month(each.standing, each.profiles[size], Load(rate))

    curves = {each.deployed.pattern.name: month(each) for each in measured}
    return [
        {"rate": rate, "below": below, "above": above, "dollars": curves[above](rate)}
        for rate, below, above in crossovers(curves, LOWEST_RATE, HIGHEST_RATE)
    ]

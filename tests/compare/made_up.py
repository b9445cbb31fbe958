"""A comparison of two patterns that do not exist."""

from copy import deepcopy
from dataclasses import asdict
from functools import cache
from typing import Any

from compare.measure.timings import DIFFERENT, SAME, WRITERS
from compare.measure.workloads import CURVE_SIZES, OPERATIONS, SIZES, TOLD_RATES
from compare.model import ceilings, late_events
from compare.model.advice import NEEDS
from compare.model.costs import Prices
from testkit.faults import ENUMERATED

Json = dict[str, Any]


def compared() -> Json:
    return deepcopy(_compared())


@cache
def _compared() -> Json:
    return {
        "place": "the local AWS, an emulator",
        "prices": dict(Prices.load().table),
        "workloads": {name: workload.what for name, workload in OPERATIONS.items()},
        "carries_over": {
            "patterns": {
                "clockwork": _pattern("clock", "throttles", 1.0, sustained=None),
                "ledgerlike": _pattern("total", "lags", 4.0, sustained=50.0),
            },
            "crossovers": {
                str(size): [{"rate": 2.0, "below": "clockwork", "above": "ledgerlike", "dollars": 9.0}]
                for size in SIZES
            },
            "cheapest": {
                need: {
                    str(size): [
                        {"name": "clockwork", "low": 0.001, "high": 2.0},
                        {"name": "ledgerlike", "low": 2.0, "high": 50.0},
                    ]
                    for size in SIZES
                }
                for need in NEEDS
            },
            "late": [
                asdict(late_events.LateShare(skew, window, 0.01))
                for skew in late_events.SKEWS
                for window in late_events.WINDOWS
            ],
        },
        "timing": {"clockwork": _timing(), "ledgerlike": _timing()},
    }


def _pattern(order: str, past_it: str, cost: float, sustained: float | None) -> Json:
    ceiling = {
        "what": "appends",
        "value": 1000,
        "unit": "events/s",
        "limited_by": "a partition",
        "source": "https://docs.aws.amazon.com/x.html",
        "read": "2026-11",
        "past_it": past_it,
    }
    operation = {"calls": {"dynamodb:PutItem": 1}, "requests": 1, "write_units": 2.0, "read_units": 0.0}
    operation |= {"bytes_sent": 1000, "bytes_received": 20}
    million = dict.fromkeys(("append_slow", "append_fast", "append_10", "read_aggregate", "read_page"), cost)
    return {
        "title": "A pattern",
        "summary": "what it is made of",
        "guarantees": {
            "global_order": order,
            "read_all": "strong" if order == "total" else "eventual",
            "late_events": order == "clock",
            "dense_offsets": order == "total",
            "tamper_evident": False,
        },
        "ceilings": [{**ceiling, "past": [asdict(point) for point in ceilings.past(ceiling)]}],
        "sustained": {str(size): sustained for size in CURVE_SIZES},
        "package_bytes": 1_000_000,
        "operations": {str(size): dict.fromkeys([*OPERATIONS, "log_1", "log_20"], operation) for size in SIZES},
        "faults": {
            kind.__name__: {"trials": 3, "outcomes": {"answered": 1, "recovered": 2}, "anomalies": {}}
            for kind in ENUMERATED
        },
        "stored_bytes": {str(size): float(size) for size in CURVE_SIZES},
        "money": {
            "idle_month": cost,
            "million": {str(size): million for size in SIZES},
            "months": {str(size): [[0.001, cost], [1.0, 10 * cost], [100.0, 500 * cost]] for size in SIZES},
            "month": {
                str(size): [10 * cost * rate if rate <= (sustained or rate) else None for rate in TOLD_RATES]
                for size in SIZES
            },
            "by_size": {str(size): [cost * size, None if sustained else 100 * cost * size] for size in CURVE_SIZES},
        },
    }


def _timing() -> Json:
    spread = {"median": 0.02, "low": 0.01, "high": 0.09, "p95": 0.05, "count": 30}
    points = [{"writers": n, "per_second": 10.0 + n, "conflicts_per_second": 1.0, "failures": 0} for n in WRITERS]
    return {
        "latencies": {"append 1 event": spread, "read 10 of an aggregate": spread, "read 10 of all": spread},
        "lag": spread,
        "goodput": {SAME: points, DIFFERENT: points},
        "read_all_seconds": 0.5,
        "read_all_events": 300,
        "anomalies": {},
        "admitted": {"stale": 4},
        "calls": 1500,
        "init": spread,
    }

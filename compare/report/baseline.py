"""`python -m compare.report.baseline [--check]`: keeps the figures of the last comparison, and the README's guide.

What carries over goes to `compare/figures.json`, to which tests hold what they measure, to the digit; the guide goes
into the README, between markers. With `--check` nothing is written, and a guide that would change is an error.
"""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from compare.measure.workloads import KB, TOLD_RATES
from compare.model.costs import Prices
from compare.report.page import guide
from tools.console import Failure, progress, run
from tools.discovery import ROOT, patterns
from tools.tables import between_markers

LAST = ROOT / ".build/compare"
"""Where the last comparison lies."""

FIGURES = ROOT / "compare/figures.json"
README = ROOT / "README.md"


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep the figures of the last comparison, and the README's guide.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the guide would change")
    if parser.parse_args().check:
        if README.read_text(encoding="utf-8") != with_guide(baseline()):
            raise Failure("The README's decision guide is not that of compare/figures.json: run make figures.")
        return
    figures = _last_comparison()
    FIGURES.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    README.write_text(with_guide(figures), encoding="utf-8")
    progress(f"Written: {FIGURES.relative_to(ROOT)}, {README.relative_to(ROOT)}")


def baseline() -> dict[str, Any]:
    """The figures that were kept, on which the guide rests."""
    figures: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8"))
    return figures


def estimate(names: Sequence[str], figures: dict[str, Any]) -> float:
    """Dollars that measuring on a real account may cost: by kept figures, an hour of each at 10 appends a second.

    That is several times what the timings do. A pattern without kept figures is taken for the most expensive one.
    """
    at, hours_per_month = TOLD_RATES.index(10.0), Prices.load().assumed("hours_per_month")
    months: dict[str, float] = {name: each["money"]["month"][str(KB)][at] for name, each in figures["patterns"].items()}
    return sum(months.get(name, max(months.values())) for name in names) / hours_per_month


def with_guide(figures: dict[str, Any]) -> str:
    """The README with the guide that these figures make."""
    return between_markers(README, "chooser", guide(figures))


def _last_comparison() -> dict[str, Any]:
    path = LAST / "results.json"
    if not path.exists():
        raise Failure("Nothing was compared yet: run make compare.")
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["carries_over"]
    if missing := {pattern.name for pattern in patterns()} - figures["patterns"].keys():
        raise Failure(f"The last comparison lacks {', '.join(sorted(missing))}: run make compare without PATTERNS.")
    return figures


if __name__ == "__main__":
    run(main)

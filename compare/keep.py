"""`python -m compare.keep [--check]`: keeps the figures of the last comparison, and the decision guide made of them.

What carries over goes to `compare/figures.json`, which tests measure anew and compare to the digit; the guide goes into
the README, between markers. With `--check` nothing is written, and a guide that would change is an error.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path

from compare import chooser
from compare.costs import Prices
from compare.markup import Json
from compare.workloads import KB, TOLD_RATES
from tools.console import Failure, progress, run
from tools.discovery import ROOT, patterns

LAST = ROOT / ".build/compare"
"""Where the last comparison lies."""

FIGURES = Path(__file__).with_name("figures.json")
BEGIN, END = "<!-- chooser:begin -->", "<!-- chooser:end -->"


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep the figures of the last comparison, and the README's guide.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the guide would change")
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    if parser.parse_args().check:
        if text != guided(text, kept()):
            raise Failure("The README's decision guide is not that of compare/figures.json: run make figures.")
        return
    figures = _last_comparison()
    FIGURES.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    readme.write_text(guided(text, figures), encoding="utf-8")
    progress(f"Written: {FIGURES.relative_to(ROOT)}, {readme.relative_to(ROOT)}")


def kept() -> Json:
    """The figures that the guide rests on."""
    figures: Json = json.loads(FIGURES.read_text(encoding="utf-8"))
    return figures


def estimate(names: Sequence[str], figures: Json) -> float:
    """Dollars that measuring on a real account may cost: by kept figures, an hour of each at 10 appends a second.

    That is several times what the timings do. A pattern without kept figures is taken for the dearest one.
    """
    at, hours_per_month = TOLD_RATES.index(10.0), Prices.load().assumed("hours_per_month")
    hours = {name: each["money"]["month"][str(KB)][at] / hours_per_month for name, each in figures["patterns"].items()}
    return sum(hours.get(name, max(hours.values())) for name in names)


def guided(readme: str, figures: Json) -> str:
    """The README with the guide that these figures make."""
    guide = f"{BEGIN}\n{chooser.markdown(figures)}\n{END}"
    text, found = re.subn(f"(?s){BEGIN}.*?{END}", lambda _: guide, readme)
    if found != 1:
        raise Failure(f"README.md needs the markers {BEGIN} and {END}, once.")
    return text


def _last_comparison() -> Json:
    path = LAST / "results.json"
    if not path.exists():
        raise Failure("Nothing was compared yet: run make compare.")
    figures: Json = json.loads(path.read_text(encoding="utf-8"))["carries_over"]
    missing = {pattern.name for pattern in patterns()} - figures["patterns"].keys()
    if missing:
        raise Failure(f"The last comparison lacks {', '.join(sorted(missing))}: run make compare without PATTERNS.")
    return figures


if __name__ == "__main__":
    run(main)

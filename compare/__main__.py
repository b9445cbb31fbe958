"""`python -m compare [PATTERN …] [--target aws]`: measures patterns side by side; no PATTERN means all of them.

What carries over to AWS is always measured on a local AWS that is started for it; with `--target aws` times are taken
on a real account, after asking before anything is done. Prints a table, and where the page and the figures are.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from rich.console import Console

from compare import keep, report, results, stage, table
from compare.costs import Prices
from tools import providers, targets
from tools.console import Failure, UsageError, progress, result, run
from tools.discovery import ALL, Pattern, select


def main() -> None:
    began = time.monotonic()
    patterns, place = _arguments()
    providers.find_terraform()  # before anything is started
    keep.LAST.mkdir(parents=True, exist_ok=True)
    compared = _locally(patterns) if place == "local" else _on_aws(patterns)
    page = write(compared, keep.LAST)
    table.show(compared, Console() if sys.stdout.isatty() else Console(width=table.WIDTH))
    result(f"\nThe report: {page.as_uri()}\nThe figures: {keep.LAST / 'results.json'}")
    progress(f"Done in {(time.monotonic() - began) / 60:.1f} minutes")


def write(compared: results.Json, folder: Path) -> Path:
    """Keeps the figures, and the page made of them, whose path it gives."""
    (folder / "results.json").write_text(json.dumps(compared, indent=1) + "\n", encoding="utf-8")
    page = folder / "report.html"
    page.write_text(report.page(compared), encoding="utf-8")
    return page


def _locally(patterns: list[Pattern]) -> results.Json:
    prices = Prices.load()
    with stage.local(patterns) as deployed:
        measured = [results.carrying_over(each, prices) for each in deployed]
        timings = {
            each.pattern.name: {**results.timing(each, keep.LAST), "init": results.init(each)} for each in deployed
        }
    return results.together(measured, timings, "the local AWS, an emulator", prices)


def _on_aws(patterns: list[Pattern]) -> results.Json:
    prices = Prices.load()
    target = targets.connect("aws")
    _consent(target, patterns)
    with stage.local(patterns) as deployed:
        measured = [results.carrying_over(each, prices) for each in deployed]
        starts = {each.pattern.name: results.init(each) for each in deployed}
    with stage.on(target, patterns) as deployed:
        timings = {
            each.pattern.name: {**results.timing(each, keep.LAST), "init": starts[each.pattern.name]}
            for each in deployed
        }
    return results.together(measured, timings, f"AWS, {target.identity}", prices)


def _consent(target: targets.Target, patterns: list[Pattern]) -> None:
    names = [pattern.name for pattern in patterns]
    question = (
        f"Deploy {', '.join(names)} there under names of their own, measure for an hour at most, and remove them?"
    )
    targets.consent(target, f"{question} It may cost ${keep.estimate(names, keep.kept()):.2f}.")


def _arguments() -> tuple[list[Pattern], str]:
    parser = argparse.ArgumentParser(description="Measure patterns side by side.")
    parser.add_argument("patterns", nargs="*", help="folders under patterns/; all of them if none is given")
    parser.add_argument("--target", default="local", help="local (default) or aws: where times are taken")
    given = parser.parse_args()
    if given.target not in ("local", "aws"):
        raise UsageError(f"There is no target {given.target!r} to compare on: give TARGET=… as local or aws.")
    wanted = [name for words in given.patterns for name in words.split()] or [ALL]
    chosen = {pattern.name: pattern for name in wanted for pattern in select(name)}
    if not chosen:
        raise Failure("There are no patterns under patterns/.")
    return [chosen[name] for name in sorted(chosen)], given.target


if __name__ == "__main__":
    run(main)

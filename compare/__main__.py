"""`python -m compare [PATTERN …] [--target aws]`: measures patterns side by side; no PATTERN means all of them.

What carries over to AWS is always measured on a local AWS that is started for it; with `--target aws` times are taken
on a real account, after asking before anything is done. Prints a summary, and where the page and the figures are.
"""

import argparse
import json
import sys
import time
from dataclasses import asdict

from rich.console import Console
from rich.markdown import Markdown

from compare.history import record
from compare.measure import environments, resource_use
from compare.measure.environments import Deployed
from compare.measure.fault_trials import under_faults
from compare.measure.handler_overhead import init_ratios
from compare.measure.timings import Range, Timer
from compare.measure.workloads import CURVE_SIZES
from compare.model.comparison import Json, Measured, compare
from compare.model.costs import Prices
from compare.model.infrastructure import infrastructure
from compare.report.baseline import LAST, baseline, estimate
from compare.report.page import page, summary
from tools import package, providers, targets
from tools.console import UsageError, progress, result, run
from tools.discovery import ALL, Pattern, select


def main() -> None:
    began = time.monotonic()
    parser = argparse.ArgumentParser(description="Measure patterns side by side.")
    parser.add_argument("patterns", nargs="*", help="folders under patterns/; all of them if none is given")
    parser.add_argument("--target", default="local", help="local (default) or aws: where times are taken")
    given = parser.parse_args()
    if given.target not in ("local", "aws"):
        raise UsageError(f"There is no target {given.target!r} to compare on: give TARGET=… as local or aws.")
    wanted = [name for words in given.patterns for name in words.split()] or [ALL]
    chosen = {pattern.name: pattern for name in wanted for pattern in select(name)}
    patterns = [chosen[name] for name in sorted(chosen)]
    providers.find_terraform()  # before anything is started
    LAST.mkdir(parents=True, exist_ok=True)
    compared = measure(patterns, targets.connect("aws") if given.target == "aws" else None)
    (LAST / "results.json").write_text(json.dumps(compared, indent=1) + "\n", encoding="utf-8")
    (LAST / "report.html").write_text(page(compared), encoding="utf-8")
    console = Console(width=None if sys.stdout.isatty() else 130)  # a log has no width of its own
    console.print(Markdown(summary(compared)))
    result(f"\nThe report: {(LAST / 'report.html').as_uri()}\nThe figures: {LAST / 'results.json'}")
    progress(f"Done in {(time.monotonic() - began) / 60:.1f} minutes")


def measure(patterns: list[Pattern], account: targets.Target | None = None) -> Json:
    """The whole comparison; with an account, times are taken there."""
    names, prices = [pattern.name for pattern in patterns], Prices.load()
    if account:
        question = f"Deploy {', '.join(names)} there under new names, measure for an hour at most, and remove them?"
        targets.consent(account, f"{question} It may cost ${estimate(names, baseline()):.2f}.")
    with environments.local(patterns) as deployed:
        measured = [_measured(each, prices) for each in deployed]
        starts = {each.pattern.name: asdict(Range.of(init_ratios(each, runs=7))) for each in deployed}
        timings = {} if account else _timings(deployed)
    if account:
        with environments.on_account(account, patterns) as deployed:
            timings = _timings(deployed)
    place = f"AWS, {account.identity}" if account else "the local AWS, an emulator"
    return compare(measured, {name: {**timings[name], "init": starts[name]} for name in names}, place, prices)


def _measured(deployed: Deployed, prices: Prices) -> Measured:
    name, sheet = deployed.pattern.name, deployed.pattern.sheet
    with resource_use.fresh_stores(deployed, prices) as stores:
        progress(f"{name}: calls, units and bytes")
        operations = resource_use.operations(stores)
        progress(f"{name}: costs by size of events")
        profiles = {size: resource_use.profile(stores, size) for size in CURVE_SIZES}
        progress(f"{name}: faults")
        faults = under_faults(stores, sheet["guarantees"])
    there = infrastructure(deployed.state, deployed.functions, prices)
    package_bytes = package.build(deployed.pattern).stat().st_size
    return Measured(name, sheet, there, operations, profiles, faults, package_bytes)


def _timings(deployed: list[Deployed]) -> dict[str, Json]:
    """By pattern. The history of each is kept."""
    timings = {}
    for each in deployed:
        name = each.pattern.name
        timer = Timer(name, each.answer(), each.pattern.sheet["guarantees"])
        timings[name] = asdict(timer.run())
        record.save(timer.history, LAST / f"{name}.history.jsonl")
    return timings


if __name__ == "__main__":
    run(main)

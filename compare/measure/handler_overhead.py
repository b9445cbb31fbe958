"""`python -m compare.measure.handler_overhead PATTERN`: what a pattern's handler costs over bare boto3.

Three figures: the size of its Lambda package; the CPU time to start Python, import a handler and make its client, over
that of a program that only makes a boto3 client; and the time of an append, from request to answer, over the time spent
in its AWS calls. Ratios of medians in one run, on a local AWS of its own, with the interpreter and the packages that
its Lambdas have. They carry over to AWS better than times do, and are still those of one machine.
"""

import os
import statistics
import subprocess
import tempfile
import time
import zipfile
from importlib import import_module
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from botocore.client import BaseClient
from rich.console import Console
from rich.table import Table

from compare.measure import environments
from compare.measure.environments import Deployed
from lambdas.eventstore.wire import answer
from local.launch import CHECKOUT
from tools import arguments, package
from tools.console import progress, run

INIT_RUNS = 21
APPENDS = 400
PAYLOAD = {"text": "x" * 700}  # makes an item of a little under 1 KB
LIMITS = {"package, MB": 1.5, "init, no bytecode": 1.25, "init, bytecode": 1.25, "append": 1.25}
"""What each figure should stay below: megabytes, and ratios."""

LAMBDA_PYTHON = str(CHECKOUT / ".local/lambda-runtime/bin/python")


def main() -> None:
    patterns, _ = arguments.parse("Measure what the handlers of patterns cost over bare boto3.")
    table = Table("pattern", *LIMITS, box=None, padding=(0, 2))
    with environments.local(patterns) as deployed:
        for each in deployed:
            name = each.pattern.name
            progress(f"{name}: init, {INIT_RUNS} times each")
            inits = [statistics.median(init_ratios(each, bytecode=bytecode)) for bytecode in (False, True)]
            progress(f"{name}: append, {APPENDS} times")
            figures = [package.build(each.pattern).stat().st_size / 1e6, *inits, append_ratio(each)]
            table.add_row(name, *(f"{figure:.2f}" for figure in figures))
    table.add_row("should be", *(f"< {limit:g}" for limit in LIMITS.values()), style="dim")
    Console(width=100).print(table)


def init_ratios(deployed: Deployed, *, bytecode: bool = False, runs: int = INIT_RUNS) -> list[float]:
    """CPU time of processes that import the handlers, over the median of as many that only make a boto3 client.

    Without `bytecode` the package's modules are compiled at each start, as those of a new package are on Lambda.
    """
    with tempfile.TemporaryDirectory() as code:
        zipfile.ZipFile(package.build(deployed.pattern)).extractall(code)
        handler = [LAMBDA_PYTHON, "-c", f"import sys; sys.path.insert(0, {code!r}); import lambdas.handlers"]
        bare = [LAMBDA_PYTHON, "-c", "import boto3; boto3.client('dynamodb')"]
        environment = {**os.environ, **deployed.environment}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        # The SDK is part of Lambda's runtime, and compiled there; the package's own modules are what differs.
        subprocess.run(bare, env=environment, check=True)
        if not bytecode:
            environment["PYTHONDONTWRITEBYTECODE"] = "1"
        subprocess.run(handler, env=environment, check=True)
        # In turns, so that what else the machine does is shared fairly.
        times = [(_cpu_seconds(handler, environment), _cpu_seconds(bare, environment)) for _ in range(runs)]
    base = statistics.median(of_bare for _, of_bare in times)
    return [of_handler / base for of_handler, _ in times]


def append_ratio(deployed: Deployed) -> float:
    """Median time from request to answer, over the median time inside the AWS calls of the same appends."""
    inside: list[float] = []
    call_aws: Any = BaseClient._make_api_call  # type: ignore[attr-defined]

    def timed(*request: Any) -> Any:
        began = time.perf_counter()
        try:
            return call_aws(*request)
        finally:
            inside[-1] += time.perf_counter() - began

    store = import_module(f"patterns.{deployed.pattern.name}.store").from_environment(deployed.environment)
    aggregate, whole = str(uuid4()), []
    with patch.object(BaseClient, "_make_api_call", timed):
        for version in range(1, APPENDS + 1):
            event = {"aggregateId": aggregate, "aggregateVersion": version, "eventType": "T", "eventVersion": 1}
            request = {"events": [{**event, "metadata": PAYLOAD}], "requestId": str(uuid4())}
            inside.append(0.0)
            began = time.perf_counter()
            answer(store, "store_events", request)
            whole.append(time.perf_counter() - began)
    return statistics.median(whole) / statistics.median(inside)


def _cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    """CPU time, since other programs on the machine stretch wall time, and starting up is all computing."""
    before = os.times()
    subprocess.run(command, env=environment, check=True)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


if __name__ == "__main__":
    run(main)

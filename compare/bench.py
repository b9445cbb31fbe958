"""`python -m compare.bench PATTERN`: what a pattern's handler costs over bare boto3, as ratios of medians in one run.

Three figures: the size of its Lambda package; the CPU time to start Python, import a handler and make its client, over
that of a program that only makes a boto3 client; and the time of an append, from request to answer, over the time spent
in its AWS calls. Runs on a local AWS of its own, with the interpreter and the packages that its Lambdas have. Ratios
carry over to AWS better than times do, and are still those of one machine.
"""

import os
import statistics
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from lambdas.eventstore import aws
from lambdas.eventstore.wire import answer
from local.launch import CHECKOUT
from testkit.session import Owner, Session
from tools import arguments, package
from tools.console import progress, run
from tools.discovery import Pattern

INIT_RUNS = 21
APPENDS = 400
PAYLOAD = {"text": "x" * 700}
"""Makes an item of a little under 1 KB."""

LIMITS = {"package": 1.5, "init": 1.25, "append": 1.25}
"""What each figure should stay below: megabytes, and twice a ratio."""

LAMBDA_PYTHON = CHECKOUT / ".local/lambda-runtime/bin/python"


def main() -> None:
    patterns, _ = arguments.parse("Measure what the handlers of patterns cost.")
    owner = Owner(patterns)
    try:
        session = Session(owner.folder)
        with patch.dict(os.environ, session.aws()):
            rows = [_measure(pattern, session) for pattern in patterns]
    finally:
        owner.close()
    table = Table("pattern", "package, MB", "init, no bytecode", "init, bytecode", "append", box=None, padding=(0, 2))
    for row in rows:
        table.add_row(*row)
    limits = [f"< {LIMITS[figure]:g}" for figure in ("package", "init", "init", "append")]
    table.add_row("should be", *limits, style="dim")
    Console(width=100).print(table)


def _measure(pattern: Pattern, session: Session) -> list[str]:
    environment = session.deployment(pattern.name)["environment"]
    zipped = package.build(pattern)
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(zipped).extractall(folder)
        progress(f"{pattern.name}: init, {INIT_RUNS} times each")
        as_shipped = init_ratio(Path(folder), environment, bytecode=False)
        compiled = init_ratio(Path(folder), environment, bytecode=True)
    progress(f"{pattern.name}: append, {APPENDS} times")
    appended = append_ratio(pattern, environment)
    size = zipped.stat().st_size / 1e6
    return [pattern.name, f"{size:.2f}", f"{as_shipped:.2f}", f"{compiled:.2f}", f"{appended:.2f}"]


def init_ratio(code: Path, environment: Mapping[str, str], *, bytecode: bool) -> float:
    """Median CPU time of a process that imports the handlers, over one that only makes a boto3 client."""
    handler, bare = init_seconds(code, environment, bytecode=bytecode, runs=INIT_RUNS)
    return statistics.median(handler) / statistics.median(bare)


def init_seconds(
    code: Path, environment: Mapping[str, str], *, bytecode: bool, runs: int
) -> tuple[list[float], list[float]]:
    """CPU time of processes that import the handlers, and of as many that only make a boto3 client, in turns.

    Without `bytecode` the package's modules are compiled at each start, as those of a new package are on Lambda.
    """
    handler = [str(LAMBDA_PYTHON), "-c", f"import sys; sys.path.insert(0, {str(code)!r}); import lambdas.handlers"]
    bare = [str(LAMBDA_PYTHON), "-c", "import boto3; boto3.client('dynamodb')"]
    with_bytecode = {**os.environ, **environment}
    with_bytecode.pop("PYTHONDONTWRITEBYTECODE", None)
    without = {**with_bytecode, "PYTHONDONTWRITEBYTECODE": "1"}
    # The SDK is part of Lambda's runtime, and compiled there; the package's own modules are what differs.
    subprocess.run(bare, env=with_bytecode, check=True)
    chosen = with_bytecode if bytecode else without
    subprocess.run(handler, env=chosen, check=True)
    times: dict[str, list[float]] = {"handler": [], "bare": []}
    for _ in range(runs):
        for name, command in (("handler", handler), ("bare", bare)):
            times[name].append(_cpu_seconds(command, chosen))
    return times["handler"], times["bare"]


def append_ratio(pattern: Pattern, environment: Mapping[str, str]) -> float:
    """Median time from request to answer, over the median time inside the AWS calls of the same appends."""
    clients: list[TimedClient] = []

    def timed(service: str) -> TimedClient:
        clients.append(TimedClient(make_client(service)))
        return clients[-1]

    make_client = aws.client
    with patch.object(aws, "client", timed):
        store = import_module(f"patterns.{pattern.name}.store").from_environment(environment)
    aggregate = str(uuid4())
    whole, inside = [], []
    for version in range(1, APPENDS + 1):
        event = {"aggregateId": aggregate, "aggregateVersion": version, "eventType": "T", "eventVersion": 1}
        request = {"events": [{**event, "metadata": PAYLOAD}], "requestId": str(uuid4())}
        before = sum(client.seconds for client in clients)
        whole.append(_seconds(partial(answer, store, "store_events", request)))
        inside.append(sum(client.seconds for client in clients) - before)
    return statistics.median(whole) / statistics.median(inside)


class TimedClient:
    """An AWS client that adds up the seconds spent in its calls."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.seconds = 0.0

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        method = getattr(self._client, operation)

        def timed(**parameters: Any) -> Any:
            started = time.perf_counter()
            try:
                return method(**parameters)
            finally:
                self.seconds += time.perf_counter() - started

        return timed


def _cpu_seconds(command: list[str], environment: Mapping[str, str]) -> float:
    """CPU time, since other programs on the machine stretch wall time, and starting up is all computing."""
    before = os.times()
    subprocess.run(command, env=environment, check=True)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    run(main)

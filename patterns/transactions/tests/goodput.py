"""Goodput and transactions per append against the number of writers: `python -m patterns.transactions.tests.goodput`.

Measures the store in this process, on a local AWS of its own, and in the simulation, whose latencies are a model.
Prints both, and draws what the pattern's README shows. Neither is a promise for AWS: the ceiling that its limits imply
stands beside them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any, NamedTuple
from unittest.mock import patch

from lambdas.eventstore import aws
from lambdas.eventstore.contract import Append
from lambdas.eventstore.events import NewEvent
from lambdas.eventstore.retry import time_limit
from local.control import LocalAws

from ..store import TransactionsEventStore
from .contention import contend

WRITERS = (1, 2, 4, 8, 16)
SECONDS = 6.0
PLOT = Path(__file__).parents[1] / "contention.svg"

PARTITION_WRITE_UNITS, UNITS_OF_AN_ENTRY = 1000, 2
CEILING = PARTITION_WRITE_UNITS / UNITS_OF_AN_ENTRY
"""Events of up to 1 KB a second (developerguide/bp-partition-key-design and transaction-apis, read 2026-11)."""

KEYS = {"events": ("aggregateId", "aggregateVersion"), "log": ("logId", "logKey")}


class Result(NamedTuple):
    goodput: float
    tries: float
    longest: float


def main() -> None:
    with local_aws():
        emulated = table("local AWS (emulator)", measured)
    simulated = table("simulation (transactions of about 20 ms)", modelled)
    print(f"ceiling by AWS's limits, whatever the number of writers: {CEILING:.0f} events/s")
    draw(emulated, simulated)
    print(f"drawn: {PLOT.name}", file=sys.stderr)


def table(title: str, measure: Callable[[int], Result]) -> list[Result]:
    print(f"{title}\nwriters  appends/s  transactions per append  longest append")
    results = []
    for writers in WRITERS:
        results.append(measure(writers))
        print("{:7}  {:9.1f}  {:23.2f}  {:11.2f} s".format(writers, *results[-1]), flush=True)
    return results


def modelled(writers: int) -> Result:
    outcome = contend(writers, seconds=60)
    return Result(sum(outcome.appends) / 60, outcome.tries, outcome.waits[-1])


def measured(writers: int) -> Result:
    """Writers in threads, each to an aggregate of its own, without a pause, on empty tables."""
    client = aws.client("dynamodb")
    tables = [make_table(client, name) for name in KEYS]
    store = TransactionsEventStore(client, *tables)
    start, sent, waits = Barrier(writers + 1), list[int](), list[float]()
    client.meta.events.register("before-call.dynamodb.TransactWriteItems", lambda **_: sent.append(1))

    def write(writer: int) -> None:
        start.wait()
        for version in count(1):
            began = time.monotonic()
            if began > end:
                return
            with time_limit(60):
                store.store_events(Append((NewEvent(f"aggregate-{writer}", version, "TICK", 1, {}),)))
            waits.append(time.monotonic() - began)

    with ThreadPoolExecutor(writers) as pool:
        tasks = [pool.submit(write, writer) for writer in range(writers)]
        end = time.monotonic() + SECONDS
        start.wait()
        for task in tasks:
            task.result()
    return Result(len(waits) / SECONDS, len(sent) / len(waits), max(waits))


def make_table(client: Any, name: str) -> str:
    hash_key, range_key = KEYS[name]
    unique = f"{name}-{time.monotonic_ns()}"
    client.create_table(
        TableName=unique,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": hash_key, "AttributeType": "S"},
            {"AttributeName": range_key, "AttributeType": "N"},
        ],
    )
    return unique


@contextmanager
def local_aws() -> Iterator[None]:
    with TemporaryDirectory() as folder:
        local = LocalAws.start(Path(folder))
        try:
            others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
            with patch.dict(os.environ, {**others, **local.environment}, clear=True):
                yield
        finally:
            local.stop()


def draw(emulated: list[Result], simulated: list[Result]) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot as plt

    figure, (goodput, tries) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    series = {"local AWS (emulator)": (emulated, "o-"), "simulation": (simulated, "s--")}
    for name, (results, style) in series.items():
        goodput.plot(WRITERS, [result.goodput for result in results], style, label=name)
        tries.plot(WRITERS, [result.tries for result in results], style, label=name)
    goodput.axhline(CEILING, color="0.4", linestyle=":")
    goodput.text(1, CEILING * 0.97, "implied by AWS's limits: 500/s", va="top", color="0.4")
    goodput.set(title="appends of one event, per second", ylim=(0, CEILING * 1.1))
    tries.set(title="transactions per append", ylim=(0, None))
    for axes in (goodput, tries):
        axes.set(xscale="log", xticks=WRITERS, xticklabels=map(str, WRITERS), xlabel="writers at the same time")
        axes.minorticks_off()
    tries.legend(loc="upper left")
    figure.savefig(PLOT, metadata={"Date": None, "Title": "Emulator and simulation, not AWS"})


if __name__ == "__main__":
    main()

"""The comparison in the terminal: a line for each pattern, what carries over first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from compare.words import dollars, guarantee, milliseconds, or_dash, per_second, units
from compare.workloads import KB
from tools.sheets import HEADINGS

Json = Mapping[str, Any]

WIDTH = 130
"""Columns in a log, which has no width of its own."""


def show(compared: Json, console: Console) -> None:
    """Prints the tables."""
    for table in (_promises(compared), _money(compared), _timing(compared)):
        console.print(table)
        console.print()


def _promises(compared: Json) -> Table:
    columns = ["pattern", *HEADINGS.values(), "append 1 KB", "in calls", "broken promises"]
    table = _table("What each promises (carries over)", columns)
    for name, pattern in _patterns(compared).items():
        words = [guarantee(line, pattern["guarantees"][line]) for line in HEADINGS]
        append = pattern["operations"][str(KB)]["append_1"]
        broken = broken_promises(pattern, compared["timing"].get(name, {}))
        table.add_row(name, *words, units(append), str(append["requests"]), str(broken))
    return table


def _money(compared: Json) -> Table:
    columns = ["pattern", "append, 1/s", "append, 100/s", "append 10 KB", "read 10", "read page of 100", "idle month"]
    table = _table("Dollars for a million, events of 1 KB (carries over)", columns)
    for name, pattern in _patterns(compared).items():
        million = pattern["money"]["million"]
        small, large = million[str(KB)], million[str(10 * KB)]
        figures = [small["append_slow"], small["append_fast"], large["append_slow"], small["read_aggregate"]]
        figures += [small["read_page"], pattern["money"]["idle_month"]]
        table.add_row(name, *(or_dash(dollars, figure) for figure in figures))
    return table


def _timing(compared: Json) -> Table:
    columns = ["pattern", "append, ms", "read 10, ms", "read 10 of all, ms", "visible after, ms"]
    columns += ["1 writer", "16 writers", "16 on one", "read all"]
    table = _table(f"Times on {compared['place']}: medians", columns)
    for name, timing in compared["timing"].items():
        latencies = [milliseconds(each["median"]) for each in timing["latencies"].values()]
        same, different = timing["goodput"].values()
        goodput = [different[0]["per_second"], different[-1]["per_second"], same[-1]["per_second"]]
        reading = timing["read_all_events"] / timing["read_all_seconds"]
        table.add_row(name, *latencies, milliseconds(timing["lag"]["median"]), *map(per_second, [*goodput, reading]))
    return table


def broken_promises(pattern: Json, timing: Json) -> int:
    """Anomalies that the checker found and the guarantee sheet does not allow for, under faults and under load."""
    under_faults = sum(sum(fault["anomalies"].values()) for fault in pattern["faults"].values())
    return under_faults + sum(timing.get("anomalies", {}).values())


def _patterns(compared: Json) -> Json:
    found: Json = compared["carries_over"]["patterns"]
    return found


def _table(title: str, columns: list[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", no_wrap=index == 0)
    return table

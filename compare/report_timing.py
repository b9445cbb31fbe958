"""The report's second part: times, which belong to the place where they were taken."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from compare import charts, checker
from compare.charts import Axis, Series
from compare.markup import Json, code, details, figure, figures, section, table
from compare.timings import WRITERS
from compare.words import decades, milliseconds, number, per_second

_EMULATOR = """\
These are times of an emulator on one machine, which serves one request at a time. They tell the patterns
apart in kind, not in milliseconds on AWS. Medians, and ranges from the quickest to the slowest."""

_AWS = "Medians, and ranges from the quickest to the slowest."

_LATENCY = (
    "Through the deployed Lambdas, warm, one call at a time. Lag is from the answer to a writer until a reader sees it."
)

_GOODPUT = "Appends that succeeded. Writers of one aggregate conflict, and go on from the version that they are told."

_CHECKER = """\
Every call of all of that was recorded. The checker decides from what clients asked and were told, and when,
and from nothing else."""

_START = """\
CPU time to start Python, import the handlers and make the clients, over that of a program that only makes a
boto3 client. The size carries over exactly, the ratio about."""


def sections(compared: Json) -> Iterator[str]:
    patterns: Json = compared["carries_over"]["patterns"]
    numbers = {name: index for index, name in enumerate(patterns)}
    timing: Json = compared["timing"]
    place = escape(compared["place"])
    note = _EMULATOR if "emulator" in place else _AWS
    legend = charts.legend(list(numbers.items()))
    yield f"<section class='banner'><h2>Times, on {place}</h2><p>{note}</p>{legend}</section>"
    yield _latencies(timing, numbers)
    yield _goodput(timing, numbers)
    yield _checked(timing)
    yield _starts(patterns, timing)


def _latencies(timing: Json, numbers: Json) -> str:
    operations = next(iter(timing.values()))["latencies"]
    drawn = [
        _ranges(name, {at: each["latencies"][name] for at, each in timing.items()}, numbers) for name in operations
    ]
    lag = _ranges("lag until visible in all events", {at: each["lag"] for at, each in timing.items()}, numbers)
    return section("Latency, and lag", _LATENCY, figures(*drawn, lag))


def _ranges(title: str, rows: Json, numbers: Json) -> str:
    values = [value * 1000 for each in rows.values() for value in (each["low"], each["high"])]
    axis = Axis("milliseconds", *decades(values), log=True, text=lambda value: f"{value:,.0f}")
    drawn = [
        (name, numbers[name], each["median"] * 1000, each["low"] * 1000, each["high"] * 1000)
        for name, each in rows.items()
    ]
    return figure(title[0].upper() + title[1:], charts.ranges(title, axis, drawn))


def _goodput(timing: Json, numbers: Json) -> str:
    drawn = []
    for mode in next(iter(timing.values()))["goodput"]:
        points = {
            name: [(point["writers"], point["per_second"]) for point in each["goodput"][mode]]
            for name, each in timing.items()
        }
        highest = max(value for each in points.values() for _, value in each)
        x = Axis("writers at once", WRITERS[0], WRITERS[-1], log=True, at=WRITERS)
        series = [Series(name, numbers[name], each) for name, each in points.items()]
        title = f"On {'the ' if mode.startswith('same') else ''}{mode}"
        drawn.append(figure(title, charts.lines(title, x, Axis("appends a second", 0.0, highest * 1.05), series)))
    return section("Goodput", _GOODPUT, figures(*drawn))


def _checked(timing: Json) -> str:
    rows = []
    for name, each in timing.items():
        reading = each["read_all_events"] / each["read_all_seconds"]
        read = (
            f"{number(each['read_all_events'])} in {milliseconds(each['read_all_seconds'])} ms: {per_second(reading)}"
        )
        rows.append([code(name), number(each["calls"]), _counts(each["anomalies"]), _counts(each["admitted"]), read])
    kinds = "".join(f"<dt>{escape(kind)}</dt><dd>{escape(words)}</dd>" for kind, words in checker.KINDS.items())
    header = ["pattern", "calls", "anomalies", "… that the sheet allows for", "reading everything"]
    return section(
        "What the checker saw",
        _CHECKER,
        table(header, rows),
        details("What it looks for", f"<dl class='kinds'>{kinds}</dl>"),
    )


def _counts(anomalies: Json) -> str:
    return ", ".join(f"{count} {escape(kind)}" for kind, count in anomalies.items()) or "none"


def _starts(patterns: Json, timing: Json) -> str:
    rows = []
    for name, each in timing.items():
        start = each["init"]
        ratio = f"{start['median']:.2f} ({start['low']:.2f} to {start['high']:.2f})"
        rows.append([code(name), f"{patterns[name]['package_bytes'] / 1e6:.2f} MB", ratio])
    return section("Package and start", _START, table(["pattern", "package", "init ratio: median (range)"], rows))

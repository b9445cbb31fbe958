"""The report's first part: what carries over to AWS."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from compare import ceilings, charts, chooser, faulty
from compare.charts import Axis, Series
from compare.late import SKEWS, WINDOWS
from compare.markup import Cell, Json, code, codes, details, figure, figures, link, marked, section, table
from compare.table import broken_promises
from compare.words import decades, dollars, guarantee, kilobytes, number, rate, short_dollars, size, units
from compare.workloads import CURVE_SIZES, KB, SIZES
from tools.tables import HEADINGS, MEANINGS

_GUARANTEES = """\
From each pattern's guarantee sheet, which the test suite holds it to in both directions. The last column
counts what the history checker found that the sheet does not allow for, under every fault and under load."""

_OPERATIONS = """\
Exact, and the same in each run. An event of 1 KB takes 1 KB with all that a store adds to it. WRU and RRU are
DynamoDB's write and read request units. Carrying events into the log is what a pattern's further Lambdas do
afterwards."""

_MONEY = """\
{region}, on demand, without free tiers; prices read {read}, listed below with their sources. An append
includes the way into the log, where events that arrive within a quarter of a second share a batch. A month
has a reading of the aggregate before each append, one reader of all events that asks once a second, and the
month's own events to store."""

_CEILINGS = "Sustained, from published limits. What happens past them is simulated, in multiples of the ceiling."

_FAULTS = """\
Each AWS call of an append of two events, and of the way into the log, is disturbed in each way, one at a
time; the caller repeats a request that failed. “Answered”: the fault did not show. “Recovered”: it was
raised, and the same request again succeeded. Anything that the checker finds wrong afterwards is named."""

_LATE = """\
Simulated, for {names}: order is by the writers' clocks, and readers stay a settle window behind now. Clocks
are off by a normal distribution of the given deviation; an index entry shows after 15 ms in the median, and
after a second or more in one case of 1,000 (assumed). A reader that polls once a second misses this share of
the events:"""

_LOG_STEPS = {"log_1": "carry 1 event into the log", "log_20": "carry 20 events into the log"}


def sections(compared: Json) -> Iterator[str]:
    over: Json = compared["carries_over"]
    patterns: Json = over["patterns"]
    yield _chooser(over)
    yield _guarantees(patterns, compared["timing"])
    yield _operations(patterns, {**compared["workloads"], **_LOG_STEPS})
    yield _money(over, compared["prices"])
    yield _ceilings(patterns)
    yield _faults(patterns)
    if over["late"]:
        yield _late(over)


def _chooser(over: Json) -> str:
    items = "".join(f"<dt>{escape(each.when)}</dt><dd>{marked(each.then)}</dd>" for each in chooser.advice(over))
    return section("Which one?", "Each sentence rests on figures below.", f"<dl class='chooser'>{items}</dl>")


def _guarantees(patterns: Json, timing: Json) -> str:
    rows = []
    for name, pattern in patterns.items():
        sheet = pattern["guarantees"]
        words = [Cell(guarantee(line, sheet[line]), MEANINGS[line][sheet[line]][1]) for line in HEADINGS]
        rows.append([code(name), *words, str(broken_promises(pattern, timing.get(name, {})))])
    return section("Guarantees", _GUARANTEES, table(["pattern", *HEADINGS.values(), "broken promises"], rows))


def _operations(patterns: Json, what: Json) -> str:
    header = ["operation", "pattern", "AWS calls", "DynamoDB units", "KB sent", "KB received"]
    parts = []
    for of_size in map(str, SIZES):
        rows = [row for name, words in what.items() for row in _operation(patterns, of_size, name, words)]
        content = table(header, rows, grouped=True)
        parts.append(details(f"Events of {size(of_size)}", content, shown=of_size == str(KB)))
    return section("What each operation takes", _OPERATIONS, *parts)


def _operation(patterns: Json, of_size: str, operation: str, words: str) -> Iterator[list[str]]:
    """A row for each pattern that does anything then."""
    heading = escape(words)
    for name, pattern in patterns.items():
        measured = pattern["operations"][of_size][operation]
        if measured["requests"]:
            calls = ", ".join(f"{count} {call}" for call, count in measured["calls"].items())
            kb = [kilobytes(measured["bytes_sent"]), kilobytes(measured["bytes_received"])]
            yield [heading, code(name), Cell(str(measured["requests"]), calls), units(measured), *kb]
            heading = ""


def _money(over: Json, prices: Json) -> str:
    patterns: Json = over["patterns"]
    tables = [f"<h3>Events of {size(of_size)}</h3>{_millions(patterns, str(of_size))}" for of_size in SIZES]
    idle = [
        [code(name), dollars(pattern["money"]["idle_month"]), number(pattern["stored_bytes"][str(KB)])]
        for name, pattern in patterns.items()
    ]
    return section(
        "Money",
        _MONEY.format(region=escape(prices["region"]), read=escape(prices["read"])),
        *tables,
        f"<h3>Doing nothing</h3>{table(['pattern', 'idle month, storage aside', 'bytes stored for 1 KB'], idle)}",
        "<h3>By the month</h3>",
        charts.legend([(name, index) for index, name in enumerate(patterns)]),
        figures(*_months(over), *_by_size(patterns)),
        _crossings(over),
        _prices(prices),
    )


def _millions(patterns: Json, of_size: str) -> str:
    columns = {
        "append_slow": "append, 1/s",
        "append_fast": "append, 100/s",
        "append_10": "10 in one request, 100/s",
        "read_aggregate": "read 10 of an aggregate",
        "read_page": "read 100 of all",
    }
    rows = [
        [code(name), *(dollars(pattern["money"]["million"][of_size][column]) for column in columns)]
        for name, pattern in patterns.items()
    ]
    return table(["dollars for a million", *columns.values()], rows)


def _months(over: Json) -> Iterator[str]:
    for of_size in map(str, SIZES):
        points = {name: pattern["money"]["months"][of_size] for name, pattern in over["patterns"].items()}
        rates = Axis("appends a second", 0.001, 100.0, log=True)
        marks = [(each["rate"], each["dollars"]) for each in over["crossovers"][of_size]]
        yield _curves(f"Events of {size(of_size)}, by rate", rates, points, marks)


def _by_size(patterns: Json) -> Iterator[str]:
    for column, label in ((1, "1 append a second"), (2, "100 appends a second")):
        points = {
            name: [(row[0] / KB, row[column]) for row in pattern["money"]["by_size"]]
            for name, pattern in patterns.items()
        }
        sizes = [each / KB for each in CURVE_SIZES]
        yield _curves(f"{label}, by size", Axis("KB an event", sizes[0], sizes[-1], log=True, at=sizes), points, [])


def _curves(title: str, x: Axis, points: Json, marks: list[tuple[float, float]]) -> str:
    amounts = [amount for curve in points.values() for _, amount in curve]
    y = Axis("dollars a month", *decades(amounts), log=True, text=short_dollars)
    series = [Series(name, index, [(a, b) for a, b in curve]) for index, (name, curve) in enumerate(points.items())]
    return figure(title, charts.lines(title, x, y, series, marks))


def _crossings(over: Json) -> str:
    items = [
        f"<li>Events of {size(of_size)}: from {rate(each['rate'])} on, {code(each['above'])} is cheaper than "
        f"{code(each['below'])} ({dollars(each['dollars'])} a month there).</li>"
        for of_size, crossings in over["crossovers"].items()
        for each in crossings
    ]
    found = "".join(items) or "<li>None overtakes another up to 100 appends a second.</li>"
    return f"<h3>Where one becomes cheaper than another</h3><ul>{found}</ul>"


def _prices(prices: Json) -> str:
    priced = [
        [f"${each['usd']:g} for {each['per']:,}", escape(each["unit"]), escape(each["seen"]), link(each["source"])]
        for each in prices["prices"].values()
    ]
    assumed = [
        [f"{each['value']:g} {escape(each['unit'])}", escape(name.replace("_", " ")), escape(each["why"])]
        for name, each in prices["assumptions"].items()
    ]
    return details(
        f"Prices, read {escape(prices['read'])}", table(["price", "of", "where it was seen", "to check at"], priced)
    ) + details("What had to be assumed", table(["value", "of what", "why"], assumed))


def _ceilings(patterns: Json) -> str:
    kinds: dict[str, list[str]] = {}
    for name, pattern in patterns.items():
        for ceiling in pattern["ceilings"]:
            names = kinds.setdefault(ceiling["past_it"], [])
            names += [name] if name not in names else []
    drawn = [_past(kind, names, patterns) for kind, names in kinds.items()]
    rows = [row for name, pattern in patterns.items() for row in _ceiling_rows(name, pattern["ceilings"])]
    header = ["pattern", "ceiling on", "about", "limited by", "to go past it", "source"]
    return section("Ceilings", _CEILINGS, table(header, rows, grouped=True), figures(*drawn))


def _ceiling_rows(name: str, sheet: list[Json]) -> Iterator[list[str]]:
    for index, each in enumerate(sheet):
        yield [
            code(name) if index == 0 else "",
            escape(each["what"]),
            f"{number(each['value'])} {escape(each['unit'])}",
            escape(each["limited_by"]),
            escape(each.get("scales_by", "–")),
            f"{link(each['source'])}, {escape(each['read'])}",
        ]


def _past(kind: str, names: list[str], patterns: Json) -> str:
    """How a ceiling of this kind is felt. It is the same for all that have one, in multiples of it."""
    past = next(each["past"] for each in patterns[names[0]]["ceilings"] if each["past_it"] == kind)
    loads = Axis("offered load, in multiples of the ceiling", 0.0, 3.0)
    words = f"{codes(names)}: {escape(ceilings.MEANINGS[kind])}. "
    if kind == ceilings.LAGS:
        behind = [Series("hours behind", 3, [(point["load"], point["lag"] / 3600) for point in past])]
        drawn = charts.lines("Lag", loads, Axis("hours behind, after an hour", 0.0, 2.0), behind)
        lost = ceilings.hours_until_lost(2.0)
        words += f"At twice the ceiling a stream drops its first records after {lost:.0f} hours."
        return figure("The log falls behind", drawn, words)
    series = [
        Series("gets through, in multiples of the ceiling", 0, [(point["load"], point["goodput"]) for point in past]),
        Series("fails, as a share of the requests", 3, [(point["load"], point["failed"]) for point in past]),
    ]
    drawn = charts.lines(kind, loads, Axis("", 0.0, 1.1), series)
    half_more = next(point for point in past if point["load"] == 1.5)
    words += f"At one and a half times the ceiling, half of what gets through waits {half_more['p50']:.1f} s or more, "
    words += f"and each request takes {half_more['attempts']:.0f} attempts."
    title = "Requests are throttled" if kind == ceilings.THROTTLES else "Appends take turns"
    return figure(title, charts.legend([(each.name, each.number) for each in series]) + drawn, words)


def _faults(patterns: Json) -> str:
    rows = []
    for kind, words in faulty.MEANINGS.items():
        cells = []
        for pattern in patterns.values():
            seen = pattern["faults"][kind]
            counted = [*seen["outcomes"].items(), *seen["anomalies"].items()]
            text = ", ".join(f"{count} {outcome}" for outcome, count in counted)
            cells.append(Cell(text, f"{seen['trials']} trials, the way into the log included"))
        rows.append([escape(words), *cells])
    return section("Behaviour under faults", _FAULTS, table(["the fault", *map(code, patterns)], rows))


def _late(over: Json) -> str:
    shares = {(each["skew"], each["window"]): each["late"] for each in over["late"]}
    names = [name for name, each in over["patterns"].items() if each["guarantees"]["global_order"] == "clock"]
    drawn_windows = [window for window in WINDOWS if window]
    series = [
        Series(f"clocks off by {skew:g} s", index, [(window, 100 * shares[skew, window]) for window in drawn_windows])
        for index, skew in enumerate(SKEWS)
    ]
    x = Axis("settle window, seconds", drawn_windows[0], drawn_windows[-1], log=True, at=drawn_windows)
    drawn = charts.lines("Late events", x, Axis("% of all events", 0.0, 45.0), series)
    header = ["clocks off by", *(f"{window:g} s" for window in WINDOWS)]
    rows = [[f"{skew:g} s", *(_percent(shares[skew, window]) for window in WINDOWS)] for skew in SKEWS]
    return section(
        "Late events",
        _LATE.format(names=codes(names)),
        charts.legend([(each.name, each.number) for each in series]),
        figures(figure("Events that a reader misses, by settle window", drawn)),
        table(header, rows),
    )


def _percent(share: float) -> str:
    return "0" if share == 0 else f"{100 * share:.2g} %"

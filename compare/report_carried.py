"""The report's first part: what carries over to AWS."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from compare import ceilings, charts, chooser, faulty
from compare.charts import Axis, Series
from compare.late import SKEWS, WINDOWS
from compare.markup import Cell, Json, code, codes, details, figure, figures, link, marked, section, table
from compare.table import broken_promises
from compare.words import decades, dollars, guarantee, kilobytes, number, or_dash, rate, short_dollars, size, units
from compare.workloads import CURVE_SIZES, FAST, HIGHEST_RATE, KB, LOWEST_RATE, SIZES, SLOW
from tools.sheets import HEADINGS, MEANINGS

_GUARANTEES = """\
From each pattern's guarantee sheet, which the test suite holds it to in both directions. The last column
counts what the history checker found that the sheet does not allow for, under every fault and under load."""

_OPERATIONS = """\
Exact, and the same in each run. An event of 1 KB takes 1 KB with all that a store adds to it. Calls are those of
AWS services, by one Lambda; WRU and RRU are DynamoDB's write and read request units; KB are what goes out with the
calls and what comes in. Carrying events into the log is what a pattern's further Lambdas do afterwards."""

_MONEY = """\
{region}, on demand, without free tiers; prices read {read}, listed below with their sources. An append
includes the way into the log, where events that arrive within a quarter of a second share a batch. A month
has a reading of the aggregate before each append, one reader of all events that asks once a second, and the
month's own events to store. A dash, or the end of a curve, is where a pattern's own ceiling is;
where AWS publishes none, the curve goes on by what is assumed below."""

_CEILINGS = """\
Sustained, from published limits; a dash where none is published. What happens past them is simulated, in
multiples of the ceiling."""

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
    header = ["operation", *map(code, patterns)]
    parts = []
    for of_size in map(str, SIZES):
        rows = [
            [escape(words), *(_operation(pattern["operations"][of_size][name]) for pattern in patterns.values())]
            for name, words in what.items()
        ]
        parts.append(details(f"Events of {size(of_size)}", table(header, rows), shown=of_size == str(KB)))
    return section("What each operation takes", _OPERATIONS, *parts)


def _operation(measured: Json) -> str:
    """A cell: calls, units, and bytes; a dash where a pattern does nothing then."""
    requests = measured["requests"]
    if not requests:
        return "–"
    lines = [f"{requests} call{'' if requests == 1 else 's'}"]
    lines += [units(measured)] if measured["write_units"] or measured["read_units"] else []
    lines.append(f"{kilobytes(measured['bytes_sent'])} KB out, {kilobytes(measured['bytes_received'])} in")
    return Cell("<br>".join(lines), ", ".join(f"{count} {call}" for call, count in measured["calls"].items()))


def _money(over: Json, prices: Json) -> str:
    patterns: Json = over["patterns"]
    millions = [f"<h3>A million, of {size(of_size)}</h3>{_millions(patterns, str(of_size))}" for of_size in SIZES]
    months = [f"<h3>A month, of {size(of_size)}</h3>{_month(patterns, of_size)}" for of_size in SIZES]
    idle = [
        [code(name), dollars(pattern["money"]["idle_month"]), number(pattern["stored_bytes"][str(KB)])]
        for name, pattern in patterns.items()
    ]
    return section(
        "Money",
        _MONEY.format(region=escape(prices["region"]), read=escape(prices["read"])),
        *millions,
        *months,
        f"<h3>The cheapest by the month</h3>{_cheapest(over)}",
        f"<h3>Doing nothing</h3>{table(['pattern', 'idle month, storage aside', 'bytes stored for 1 KB'], idle)}",
        "<h3>A month, drawn</h3>",
        charts.legend([(name, index) for index, name in enumerate(patterns)]),
        figures(*_months(over), *_by_size(patterns)),
        _crossings(over),
        _prices(prices),
    )


def _month(patterns: Json, of_size: int) -> str:
    header, rows = chooser.month_table(patterns, of_size)
    return table(header, [[marked(name), *amounts] for name, *amounts in rows])


def _cheapest(over: Json) -> str:
    """For each need: which pattern from which rate on, of those that meet it."""
    rows = [
        [escape(need), *(marked(chooser.cheapest(by_size[str(of_size)])) for of_size in SIZES)]
        for need, by_size in over["cheapest"].items()
        if all(by_size.values())
    ]
    return table(["what is needed", *(f"events of {size(of_size)}" for of_size in SIZES)], rows)


def _millions(patterns: Json, of_size: str) -> str:
    columns = {
        "append_slow": "append, 1/s",
        "append_fast": "append, 100/s",
        "append_10": "10 in one request, 100/s",
        "read_aggregate": "read 10 of an aggregate",
        "read_page": "read 100 of all",
    }
    rows = [
        [code(name), *(or_dash(dollars, pattern["money"]["million"][of_size][column]) for column in columns)]
        for name, pattern in patterns.items()
    ]
    return table(["dollars for a million", *columns.values()], rows)


def _months(over: Json) -> Iterator[str]:
    for of_size in map(str, SIZES):
        points = {name: pattern["money"]["months"][of_size] for name, pattern in over["patterns"].items()}
        rates = Axis("appends a second", LOWEST_RATE, HIGHEST_RATE, log=True)
        marks = [(each["rate"], each["dollars"]) for each in over["crossovers"][of_size]]
        yield _curves(f"Events of {size(of_size)}, by rate", rates, points, marks)


def _by_size(patterns: Json) -> Iterator[str]:
    for column, at in enumerate((SLOW, FAST)):
        points = {
            name: [
                (of_size / KB, amounts[column])
                for of_size in CURVE_SIZES
                if (amounts := pattern["money"]["by_size"][str(of_size)])[column] is not None
            ]
            for name, pattern in patterns.items()
        }
        sizes = [each / KB for each in CURVE_SIZES]
        title = f"{number(at)} append{'s' if at > 1 else ''} a second, by size"
        yield _curves(title, Axis("KB an event", sizes[0], sizes[-1], log=True, at=sizes), points, [])


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
    found = "".join(items) or "<li>None overtakes another.</li>"
    return details("Where one becomes cheaper than another, pair by pair", f"<ul>{found}</ul>")


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
        for ceiling in filter(lambda each: each["past"], pattern["ceilings"]):
            names = kinds.setdefault(ceiling["past_it"], [])
            names += [name] if name not in names else []
    drawn = [_past(kind, names, patterns) for kind, names in kinds.items()]
    rows = [row for name, pattern in patterns.items() for row in _ceiling_rows(name, pattern["ceilings"])]
    header = ["pattern", "ceiling on", "about", "limited by", "to go past it", "source"]
    borne = [
        [code(name), *(or_dash(number, pattern["sustained"][str(of_size)]) for of_size in SIZES)]
        for name, pattern in patterns.items()
    ]
    sizes = [f"appends a second, of {size(of_size)}" for of_size in SIZES]
    return section(
        "Ceilings",
        _CEILINGS,
        table(["pattern", *sizes], borne),
        table(header, rows, grouped=True),
        figures(*drawn),
    )


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
    past = next(each["past"] for each in patterns[names[0]]["ceilings"] if each.get("past_it") == kind)
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

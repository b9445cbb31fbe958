"""Charts as SVG inside the page, drawn by matplotlib. Their colours are the page's: one drawing suits light and dark.

A series has one colour and one dash in all charts of a page. matplotlib draws in stand-ins, since it takes no variables
of a style sheet; `_svg` puts those in. Whatever is pointed at tells its figures.
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import matplotlib.style
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, LogLocator, NullLocator

DASHES = ((), (9, 4), (2, 4), (12, 4, 2, 4), (6, 6), (14, 5), (4, 3, 1, 3), (2, 2))
"""Of the series that the page has colours for; further ones begin again."""

_SERIES = [f"#{number + 1:06x}" for number in range(len(DASHES))]
_INK, _SOFT, _LINE = "#0000a1", "#0000a2", "#0000a3"
_VARIABLES = {_INK: "ink", _SOFT: "soft", _LINE: "line", **{colour: f"c{n}" for n, colour in enumerate(_SERIES)}}
matplotlib.style.use(Path(__file__).with_name("charts.mplstyle"))

Format = Callable[[float], str]
Series = tuple[str, int, Sequence[float], Sequence[float]]
"""Name, which colour and dash it has, and the points' places on both axes."""


def lines(
    title: str,
    series: Sequence[Series],
    x: str,
    y: str,
    *,
    log: str = "",
    ticks: Sequence[float] = (),
    text: Format = "{:,g}".format,
    marks: Sequence[tuple[float, float]] = (),
) -> Markup:
    """One line for each series. `log` names the logarithmic axes; `marks` are points to circle, such as crossings."""
    figure, axes = _figure(3.1)
    for name, number, xs, ys in series:
        colour, dashes = _SERIES[number % len(_SERIES)], DASHES[number % len(DASHES)]
        axes.plot(xs, ys, color=colour, dashes=dashes or (None, None), linewidth=1.9, gid=f"title:{name}")
        for a, b in zip(xs, ys, strict=True) if len(xs) <= 12 else ():
            _dot(axes, a, b, colour, f"{name}: {a:,g}, {text(b)}")
    for a, b in marks:
        axes.plot([a], [b], "o", markersize=8, fillstyle="none", color=_INK)
    axes.set_title(y, loc="left", size="medium", color=_SOFT)
    axes.set_xlabel(x, loc="right")
    _scale(axes, "x", "x" in log, "{:,g}".format, ticks)
    _scale(axes, "y", "y" in log, text)
    return _svg(figure, title)


def ranges(title: str, rows: Sequence[tuple[str, int, Mapping[str, float]]], x: str, text: Format) -> Markup:
    """For each row a name, a series number, and median, lowest and highest value: a dot on a bar."""
    figure, axes = _figure(0.75 + 0.42 * len(rows))
    for place, (name, number, each) in enumerate(rows):
        colour = _SERIES[number % len(_SERIES)]
        label = f"{name}: median {text(each['median'])}, {text(each['low'])} to {text(each['high'])}"
        axes.plot([each["low"], each["high"]], [place] * 2, color=colour, linewidth=3, alpha=0.45, gid=f"title:{label}")
        _dot(axes, each["median"], place, colour, label)
        axes.annotate(label, (0, place), (0, 5), ("axes fraction", "data"), "offset points")
    axes.spines["left"].set_visible(False)
    axes.set(ylim=(len(rows) - 0.5, -0.85), yticks=())
    axes.set_xlabel(x, loc="right")
    _scale(axes, "x", True, text)
    return _svg(figure, title)


def _dot(axes: Axes, x: float, y: float, colour: str, title: str) -> None:
    axes.plot([x], [y], "o", markersize=4.5, markeredgewidth=0, color=colour, clip_on=False, gid=f"title:{title}")


def _scale(axes: Axes, which: Literal["x", "y"], log: bool, text: Format, ticks: Sequence[float] = ()) -> None:
    """A logarithmic axis has a tick at each power of ten, unless `ticks` says where. A linear one begins at 0."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    if log:
        axes.set(**{f"{which}scale": "log"})
        axis.set_major_locator(FixedLocator(ticks) if ticks else LogLocator(numticks=20))
        axis.set_minor_locator(NullLocator())
    else:
        axes.set(**{f"{which}lim": (0, None)})
    if ticks:
        axes.set(**{f"{which}lim": (ticks[0], ticks[-1])})
    axis.set_major_formatter(lambda value, _: text(value))


def _figure(height: float) -> tuple[Figure, Axes]:
    figure = Figure((4.7, height), layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure: Figure, title: str) -> Markup:
    written = io.StringIO()
    # The salt makes ids the same in each run, and different from chart to chart of one page.
    with matplotlib.rc_context({"svg.hashsalt": title}):
        unstamped = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=unstamped)
    opening = rf'<svg class="chart" \1 role="img" aria-label="{escape(title)}">'
    svg = re.sub(r'(?s).*?<svg [^>]*(viewBox="[^"]*")[^>]*>', opening, written.getvalue(), count=1)
    svg = re.sub(r'<g id="title:([^"]*)">', r"<g><title>\1</title>", svg)
    svg = re.sub(r' id="(?![mp][0-9a-f]{10}")[^"]*"', "", svg)  # not referred to, and repeated in the next chart
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var(--{variable})")
    return Markup(svg)

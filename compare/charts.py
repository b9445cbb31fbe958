"""Charts as SVG that takes its colours from the page, so that one drawing suits light and dark, and needs no script.

A series has one colour and one dash in all charts of a page: `s0`, `s1` … are classes of the page's style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 520, 340
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 16, 46
SERIES = 8
"""Colours that the page has; further series begin again."""


@dataclass(frozen=True)
class Axis:
    """`low` and `high` are values; a logarithmic axis has a tick at each power of ten."""

    label: str
    low: float
    high: float
    log: bool = False
    text: Callable[[float], str] = lambda value: f"{value:g}"
    at: Sequence[float] = ()
    """Where the ticks are, if not at round values."""

    def place(self, value: float) -> float:
        """0 at the low end, 1 at the high one; what lies outside is drawn at the edge."""
        value = min(max(value, self.low), self.high)
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> Sequence[float]:
        if self.at:
            return self.at
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            return [10.0**power for power in range(first, last + 1)]
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


@dataclass(frozen=True)
class Series:
    name: str
    number: int
    """Which colour and dash it has."""
    points: Sequence[tuple[float, float]]


def lines(title: str, x: Axis, y: Axis, series: Sequence[Series], marks: Sequence[tuple[float, float]] = ()) -> str:
    """One line for each series; `marks` are points to point out, such as crossings."""
    drawn = [_frame(x, y)]
    for each in series:
        points = " ".join(f"{_x(x, a):.1f},{_y(y, b):.1f}" for a, b in each.points)
        colour = f"s{each.number % SERIES}"
        drawn.append(f'<polyline class="line {colour}" points="{points}"><title>{escape(each.name)}</title></polyline>')
        if len(each.points) <= 12:
            drawn += [
                f'<circle class="dot {colour}" cx="{_x(x, a):.1f}" cy="{_y(y, b):.1f}" r="3">'
                f"<title>{escape(each.name)}: {escape(x.text(a))}, {escape(y.text(b))}</title></circle>"
                for a, b in each.points
            ]
    drawn += [f'<circle class="mark" cx="{_x(x, a):.1f}" cy="{_y(y, b):.1f}" r="6"/>' for a, b in marks]
    return _svg(title, drawn, HEIGHT)


def ranges(title: str, x: Axis, rows: Sequence[tuple[str, int, float, float, float]]) -> str:
    """For each row a name, a series number, and median, lowest and highest value: a dot on a bar."""
    height = TOP + BOTTOM + 30 * len(rows)
    drawn = [_x_axis(x, height)]
    for index, (name, number, median, low, high) in enumerate(rows):
        y = TOP + 30 * index + 15
        colour = f"s{number % SERIES}"
        label = f"{name}: median {x.text(median)}, {x.text(low)} to {x.text(high)}"
        drawn.append(
            f'<text class="name" x="{LEFT}" y="{y - 7}">{escape(name)}</text>'
            f'<g><title>{escape(label)}</title><line class="whisker {colour}" x1="{_x(x, low):.1f}" '
            f'x2="{_x(x, high):.1f}" y1="{y + 4}" y2="{y + 4}"/>'
            f'<circle class="dot {colour}" cx="{_x(x, median):.1f}" cy="{y + 4}" r="5"/></g>'
        )
    return _svg(title, drawn, height)


def legend(series: Sequence[tuple[str, int]]) -> str:
    """What the colours of a page mean."""
    items = "".join(
        f'<li><svg class="key" viewBox="0 0 28 10" aria-hidden="true"><line class="line s{number % SERIES}" '
        f'x1="1" x2="27" y1="5" y2="5"/></svg>{escape(name)}</li>'
        for name, number in series
    )
    return f'<ul class="legend">{items}</ul>'


def _svg(title: str, drawn: Sequence[str], height: int) -> str:
    opening = f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
    return f"{opening}{''.join(drawn)}</svg>"


def _frame(x: Axis, y: Axis) -> str:
    grid = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(y, tick):.1f}" y2="{_y(y, tick):.1f}"/>'
        f'<text class="tick" x="{LEFT - 7}" y="{_y(y, tick) + 4:.1f}" text-anchor="end">{escape(y.text(tick))}</text>'
        for tick in y.ticks()
    )
    name = f'<text class="axis" x="4" y="11">{escape(y.label)}</text>'
    return grid + name + _x_axis(x, HEIGHT)


def _x_axis(x: Axis, height: int) -> str:
    bottom = height - BOTTOM
    ticks = "".join(
        f'<line class="grid" x1="{_x(x, tick):.1f}" x2="{_x(x, tick):.1f}" y1="{TOP}" y2="{bottom}"/>'
        f'<text class="tick" x="{_x(x, tick):.1f}" y="{bottom + 17}" text-anchor="middle">{escape(x.text(tick))}</text>'
        for tick in x.ticks()
    )
    label = f'<text class="axis" x="{WIDTH - RIGHT}" y="{height - 8}" text-anchor="end">{escape(x.label)}</text>'
    return ticks + label


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - TOP - BOTTOM - 8)


def _round_step(step: float) -> float:
    """1, 2 or 5 times a power of ten, `step` or a little more."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * 0.999)

"""Figures as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tools.sheets import MEANINGS


def dollars(amount: float) -> str:
    """Three digits that count, cents at most where there are dollars."""
    if amount >= 1000:
        return f"${amount:,.0f}"
    if amount >= 1:
        return f"${amount:.2f}"
    return f"${amount:.3f}" if amount else "$0"


def or_dash(text: Callable[[float], str], value: float | None) -> str:
    """A figure that there may not be."""
    return "–" if value is None else text(value)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def rate(per_second: float) -> str:
    """A rate in the unit that suits it."""
    if per_second >= 1:
        return f"{number(float(f'{per_second:.2g}'))} a second"
    if per_second * 60 >= 1:
        return f"{per_second * 60:.2g} a minute"
    return f"{per_second * 3600:.2g} an hour"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.0f}"


def per_second(value: float) -> str:
    return f"{value:,.0f}/s" if value >= 10 else f"{value:.1f}/s"


def size(of_bytes: int | str) -> str:
    return f"{int(of_bytes) // 1024} KB" if int(of_bytes) >= 1024 else f"{of_bytes} B"


def kilobytes(of_bytes: float) -> str:
    return f"{of_bytes / 1024:.1f}" if of_bytes < 100 * 1024 else f"{of_bytes / 1024:,.0f}"


def units(operation: Mapping[str, Any]) -> str:
    """Of DynamoDB; nothing for a store that uses none."""
    parts = [f"{number(operation[key])} {name}" for key, name in _UNITS.items() if operation[key]]
    return " + ".join(parts) or "–"


def guarantee(line: str, value: Any) -> str:
    """The word for a line of a guarantee sheet."""
    return MEANINGS[line][value][0]


def listed(names: Sequence[str]) -> str:
    """`a`, `b` and `c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_UNITS = {"write_units": "WRU", "read_units": "RRU"}


def short_dollars(amount: float) -> str:
    return f"${amount / 1000:g}k" if amount >= 1000 else f"${amount:g}"


def decades(values: Sequence[float]) -> tuple[float, float]:
    """The powers of ten around positive values: the ends of a logarithmic axis."""
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    return 10.0**low, 10.0 ** max(high, low + 1)

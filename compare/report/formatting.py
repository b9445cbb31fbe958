"""Figures as a person reads them. A figure that there is none of is a dash."""

from collections.abc import Iterable, Mapping
from typing import Any


def dollars(amount: float | None) -> str:
    """Three digits that count, cents at most where there are dollars."""
    if amount is None:
        return "–"
    if amount >= 1000:
        return f"${amount:,.0f}"
    if amount >= 1:
        return f"${amount:.2f}"
    return f"${amount:.3f}" if amount else "$0"


def short_dollars(amount: float) -> str:
    return f"${amount / 1000:g}k" if amount >= 1000 else f"${amount:g}"


def number(value: float | None) -> str:
    if value is None:
        return "–"
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


def percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share else "0"


def size(of_bytes: int | str) -> str:
    return f"{int(of_bytes) // 1024} KB" if int(of_bytes) >= 1024 else f"{of_bytes} B"


def kilobytes(of_bytes: float) -> str:
    return f"{of_bytes / 1024:.1f}" if of_bytes < 100 * 1024 else f"{of_bytes / 1024:,.0f}"


def units(operation: Mapping[str, Any]) -> str:
    """Of DynamoDB; a dash for a store that uses none."""
    named = {"WRU": operation["write_units"], "RRU": operation["read_units"]}
    return " + ".join(f"{number(value)} {name}" for name, value in named.items() if value) or "–"


def quoted(names: Iterable[str]) -> list[str]:
    return [f"`{name}`" for name in names]


def listed(names: Iterable[str]) -> str:
    """`a`, `b` and `c`."""
    *firsts, last = quoted(names)
    return f"{', '.join(firsts)} and {last}" if firsts else last


def counts(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counted.items() if count)

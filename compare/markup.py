"""Pieces of the report's page: sections, tables, figures. Arguments are HTML unless they are said to be text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Json = Mapping[str, Any]


class Cell(str):
    """Text of a table with more about it, which shows when it is pointed at."""

    title: str

    def __new__(cls, text: str, title: str) -> Cell:
        cell = super().__new__(cls, text)
        cell.title = title
        return cell


def codes(names: Sequence[str]) -> str:
    return ", ".join(map(code, names))


def section(title: str, note: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2><p class='note'>{note}</p>{''.join(parts)}</section>"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, grouped: bool = False) -> str:
    """Cells are HTML. With `grouped` the first cell of a row, if not empty, is a heading over the rows from there."""
    columns = header[1:] if grouped else header
    head = "".join(f"<th scope='col'>{cell}</th>" for cell in columns)
    body = []
    for row in rows:
        if grouped and row[0]:
            body.append(f"<tr class='group'><th scope='rowgroup' colspan='{len(columns)}'>{row[0]}</th></tr>")
        body.append(_row(row[1:] if grouped else row))
    content = f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
    return f"<div class='scroll' tabindex='0'><table>{content}</table></div>"


def _row(cells: Sequence[str]) -> str:
    first, *others = cells
    rest = "".join(f"<td{_title(cell)}{_LONG if len(cell) > LONG else ''}>{cell}</td>" for cell in others)
    return f"<tr><th scope='row'{_title(first)}>{first}</th>{rest}</tr>"


LONG = 30
"""Letters from which on a cell is given room, lest it becomes a tower on a phone."""

_LONG = " class='long'"


def _title(cell: str) -> str:
    return f' title="{escape(cell.title)}"' if isinstance(cell, Cell) else ""


def figure(title: str, drawn: str, text: str = "") -> str:
    return f"<figure><figcaption>{escape(title)}</figcaption>{drawn}{f'<p>{text}</p>' if text else ''}</figure>"


def figures(*drawn: str) -> str:
    """Side by side where there is room."""
    return f"<div class='figures'>{''.join(drawn)}</div>"


def details(title: str, content: str, *, shown: bool = False) -> str:
    """What can be folded away."""
    return f"<details{' open' if shown else ''}><summary>{title}</summary>{content}</details>"


def code(name: str) -> str:
    return f"<code>{escape(name)}</code>"


def marked(text: str) -> str:
    """Text with names in backquotes."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def link(address: str) -> str:
    if not address.startswith("https://"):
        return code(address)
    return f'<a href="{escape(address)}">{escape(address.removeprefix("https://").split("/")[0])}</a>'

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
    """Cells are HTML. With `grouped` a row with an empty first cell belongs to the one above."""
    head = "".join(f"<th scope='col'>{cell}</th>" for cell in header)
    body = []
    for row in rows:
        begins = bool(row[0]) and grouped
        cells = "".join(
            f"<{tag}{scope}{_title(cell)}>{cell}</{tag}>"
            for index, cell in enumerate(row)
            for tag, scope in [("th", " scope='row'") if index == 0 else ("td", "")]
        )
        body.append(f"<tr{' class=begins' if begins else ''}>{cells}</tr>")
    content = f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
    return f"<div class='scroll' tabindex='0'><table>{content}</table></div>"


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

"""`python -m tools.tables [--check]`: writes the tables in the READMEs from sheets and modules, or checks them.

A table lies between markers, `<!-- patterns:begin -->` or `<!-- guarantees:begin -->` and the like; what lies between
them is never edited by hand. With `--check` nothing is written, and a README that would change is an error.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.console import Failure, progress, run
from tools.discovery import ROOT, Pattern, patterns
from tools.options import options
from tools.sheets import HEADINGS, MEANINGS, one_more_event, sustained


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the READMEs' generated tables.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if something would change")
    check = parser.parse_args().check
    if not check:
        renew()
    elif stale := [readme for readme, text in generated() if readme.read_text(encoding="utf-8") != text]:
        names = ", ".join(str(readme.relative_to(ROOT)) for readme in stale)
        raise Failure(f"Out of date with the patterns' sheets: {names}. Run make tables.")


def renew(root: Path = ROOT) -> None:
    """Writes the tables that are out of date."""
    for readme, text in list(generated(root)):
        if readme.read_text(encoding="utf-8") != text:
            readme.write_text(text, encoding="utf-8")
            progress(f"Written: {readme.relative_to(root)}")


def generated(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Each README that has a generated table, and the text that it should have."""
    found = patterns(root)
    front = root / "README.md"
    text = between_markers(front, "patterns", comparison(found))
    offered = _table([["option", "default", "what it does"], ["---"] * 3, *options()])
    yield front, between_markers(front, "options", offered, text)
    for pattern in found:
        readme = pattern.folder / "README.md"
        yield readme, between_markers(readme, "guarantees", promises(pattern))


def comparison(found: list[Pattern]) -> str:
    """All patterns side by side."""
    header = ["pattern", "what it is", *HEADINGS.values(), "one more event", "appends a second"]
    rows = [header, ["---"] * len(header)]
    for pattern in found:
        sheet = pattern.sheet
        words = {line: MEANINGS[line][sheet["guarantees"][line]][0] for line in HEADINGS}
        if late := sheet.get("late"):
            words["late_events"] += f": {_percent(late['share'])}"
        name = f"[`{pattern.name}`](patterns/{pattern.name}/README.md)"
        rows.append([name, sheet["summary"], *words.values(), _cost(one_more_event(sheet["costs"])), _sustained(sheet)])
    return _table(rows)


def promises(pattern: Pattern) -> str:
    """One pattern's sheet, in sentences."""
    sheet = pattern.sheet
    lines = [
        [f"`{line} = {_toml(sheet['guarantees'][line])}`", MEANINGS[line][sheet["guarantees"][line]][1]]
        for line in HEADINGS
    ]
    if late := sheet.get("late"):
        what = f"of all events, with {late['assumes']} ([source]({_address(late['source'])}), {late['read']})"
        lines.append([f"late: {_percent(late['share'])}", what])
    ceilings = [
        [
            ceiling["what"],
            _ceiling(ceiling),
            f"{ceiling['limited_by']} ([source]({_address(ceiling['source'])}), read {ceiling['read']})",
        ]
        for ceiling in sheet["ceilings"]
    ]
    return "\n".join(
        [
            _table([["promise", "meaning"], ["---"] * 2, *lines]),
            "",
            _table([["ceiling", "about", "limited by"], ["---"] * 3, *ceilings]),
        ]
    )


def _cost(counted: dict[str, float]) -> str:
    units = [
        f"{counted[key]:.3g} {unit}" for key, unit in (("write_units", "WRU"), ("read_units", "RRU")) if counted[key]
    ]
    requests = f"{counted['requests']:.3g} request{'' if counted['requests'] == 1 else 's'}"
    return f"{' + '.join(units)}, {requests}" if units else requests


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _sustained(sheet: dict[str, Any]) -> str:
    appends = sustained(sheet["ceilings"])
    return "none published" if appends is None else f"{appends:,.0f}"


def _ceiling(ceiling: dict[str, Any]) -> str:
    return f"{ceiling['value']:,} {ceiling['unit']}"


def _address(source: str) -> str:
    """A page, or a file of this project as seen from a pattern's folder."""
    return source if source.startswith("https://") else f"../../{source}"


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def _table(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def between_markers(readme: Path, marker: str, content: str, text: str | None = None) -> str:
    """The README's text, or this one that is to be, with this content between the marker's two ends."""
    begin, end = f"<!-- {marker}:begin -->", f"<!-- {marker}:end -->"
    if not readme.exists():
        raise Failure(f"{readme} is missing: write it, with the markers {begin} and {end} where its tables belong.")
    text, count = re.subn(
        f"(?s){re.escape(begin)}.*?{re.escape(end)}",
        lambda _: f"{begin}\n{content}\n{end}",
        readme.read_text(encoding="utf-8") if text is None else text,
    )
    if count != 1:
        raise Failure(f"{readme} needs the markers {begin} and {end}, once.")
    return text


if __name__ == "__main__":
    run(main)

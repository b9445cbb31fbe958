"""`python -m tools.tables [--check]`: writes the tables in the READMEs from the patterns' sheets, or checks them.

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

MEANINGS: dict[str, dict[Any, tuple[str, str]]] = {
    "global_order": {
        "total": ("total", "one order of all events, that all readers agree on and that never changes"),
        "clock": ("by clocks", "all events in the order of the writers' clocks; within an aggregate, by version"),
    },
    "read_all": {
        "strong": ("at once", "an event is in `get_all_events` once `store_events` has returned"),
        "eventual": ("later", "an event is in `get_all_events` some time after `store_events` has returned"),
    },
    "late_events": {
        True: ("possible", "an event can appear behind an offset that a reader has already passed"),
        False: ("never", "no event ever appears behind an offset that a reader has passed"),
    },
    "dense_offsets": {
        True: ("1, 2, 3 …", "offsets count without holes, so a reader can prove that it missed nothing"),
        False: ("with holes", "offsets rise, with holes between them"),
    },
    "tamper_evident": {
        True: ("yes", "an outsider can detect a change to history"),
        False: ("no", "who may write to the tables may rewrite history unnoticed"),
    },
}
"""For each line of a sheet: a word for the comparison, and a sentence for the pattern's own README."""

HEADINGS = {
    "global_order": "order of all events",
    "read_all": "visible to readers of all",
    "late_events": "late events",
    "dense_offsets": "offsets",
    "tamper_evident": "tamper-evident",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the READMEs' generated tables.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if something would change")
    check = parser.parse_args().check
    stale = [readme for readme, text in generated() if readme.read_text(encoding="utf-8") != text]
    if check and stale:
        names = ", ".join(str(readme.relative_to(ROOT)) for readme in stale)
        raise Failure(f"Out of date with the patterns' sheets: {names}. Run make tables.")
    for readme, text in generated():
        if readme in stale:
            readme.write_text(text, encoding="utf-8")
            progress(f"Written: {readme.relative_to(ROOT)}")


def generated(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Each README that has a generated table, and the text that it should have."""
    found = patterns(root)
    yield root / "README.md", _replaced(root / "README.md", "patterns", comparison(found))
    for pattern in found:
        readme = pattern.folder / "README.md"
        yield readme, _replaced(readme, "guarantees", promises(pattern))


def comparison(found: list[Pattern]) -> str:
    """All patterns side by side."""
    header = ["pattern", "what it is", *HEADINGS.values(), "one more event", "sustained"]
    rows = [header, ["---"] * len(header)]
    for pattern in found:
        sheet = pattern.sheet
        words = [MEANINGS[line][sheet["guarantees"][line]][0] for line in HEADINGS]
        name = f"[`{pattern.name}`](patterns/{pattern.name}/README.md)"
        rows.append(
            [name, sheet["summary"], *words, _cost(sheet["costs"]["later_event"]), _ceiling(sheet["ceilings"][0])]
        )
    return _table(rows)


def promises(pattern: Pattern) -> str:
    """One pattern's sheet, in sentences."""
    sheet = pattern.sheet
    lines = [
        [f"`{line} = {_toml(sheet['guarantees'][line])}`", MEANINGS[line][sheet["guarantees"][line]][1]]
        for line in HEADINGS
    ]
    ceilings = [
        [
            ceiling["what"],
            _ceiling(ceiling),
            f"{ceiling['limited_by']} ([source]({_link(ceiling['source'])}), read {ceiling['read']})",
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


def _link(source: str) -> str:
    """From a pattern's README, a page or a file of this checkout."""
    return source if "://" in source else f"../../{source}"


def _cost(cost: dict[str, Any]) -> str:
    units = [f"{cost[key]:g} {unit}" for key, unit in (("write_units", "WRU"), ("read_units", "RRU")) if cost.get(key)]
    requests = f"{cost['requests']:g} request{'' if cost['requests'] == 1 else 's'}"
    return f"{' + '.join(units)}, {requests}" if units else requests


def _ceiling(ceiling: dict[str, Any]) -> str:
    return f"{ceiling['value']:,} {ceiling['unit']}"


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def _table(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _replaced(readme: Path, marker: str, content: str) -> str:
    begin, end = f"<!-- {marker}:begin -->", f"<!-- {marker}:end -->"
    if not readme.exists():
        raise Failure(f"{readme} is missing: write it, with the markers {begin} and {end} where its sheet shall stand.")
    text, count = re.subn(
        f"(?s){re.escape(begin)}.*?{re.escape(end)}",
        lambda _: f"{begin}\n{content}\n{end}",
        readme.read_text(encoding="utf-8"),
    )
    if count != 1:
        raise Failure(f"{readme} needs the markers {begin} and {end}, once.")
    return text


if __name__ == "__main__":
    run(main)

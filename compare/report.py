"""The comparison as one page of HTML that needs nothing beside itself: no network, no script.

Leads with what carries over from the place of measurement to AWS; what does not follows, marked as such.
`python -m compare.report results.json` makes the page anew from kept figures, on stdout.
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path

from compare import report_carried, report_timing
from compare.markup import Json, code

STYLE = Path(__file__).with_name("report.css")

_DOCUMENT = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Event stores side by side</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""

_INTRODUCTION = """\
First what carries over to AWS, whatever it was measured on: calls, units, bytes, behaviour under faults, and
the money that these imply. Then times, as taken on {place}."""

_FOOTER = """\
<footer><p>Made by <code>make compare</code>. The figures are in <code>results.json</code> beside this page,
the recorded histories in <code>*.history.jsonl</code>.</p></footer>"""


def page(compared: Json) -> str:
    """The whole document."""
    parts = [_head(compared), *report_carried.sections(compared), *report_timing.sections(compared), _FOOTER]
    return _DOCUMENT.format(style=STYLE.read_text(encoding="utf-8"), body="\n".join(parts))


def _head(compared: Json) -> str:
    patterns: Json = compared["carries_over"]["patterns"]
    names = "".join(f"<li>{code(name)} {escape(pattern['summary'])}</li>" for name, pattern in patterns.items())
    several = f"{len(patterns)} ways" if len(patterns) > 1 else "One way"
    introduction = _INTRODUCTION.format(place=escape(compared["place"]))
    return (
        f"<header><h1>Event stores side by side</h1><p>{several} to build an event store on serverless AWS, on the "
        f"same work. {introduction}</p><ul class='names'>{names}</ul></header>"
    )


if __name__ == "__main__":
    print(page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))

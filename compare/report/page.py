"""The comparison as one page of HTML that needs nothing beside itself: no network, no script; and as a short summary.

Leads with what carries over from the place of measurement to AWS; what does not follows, marked as such.
`python -m compare.report.page results.json` makes the page anew from kept figures, on stdout.
"""

import inspect
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from compare.history.checker import KINDS
from compare.measure import workloads
from compare.model import ceilings, late_events
from compare.model.advice import NEEDS
from compare.report import charts, formatting
from testkit.faults import ENUMERATED
from tools.sheets import HEADINGS, MEANINGS

Json = Mapping[str, Any]


def page(compared: Json) -> str:
    """The whole document."""
    style = Markup(Path(__file__).with_name("page.css").read_text(encoding="utf-8"))
    return _ENVIRONMENT.get_template("page.html.j2").render(**compared, style=style)


def summary(compared: Json) -> str:
    """What fits a terminal, as Markdown."""
    return _ENVIRONMENT.get_template("summary.md.j2").render(**compared)


def guide(carries_over: Json) -> str:
    """The decision guide for the README, as Markdown: what to take for which need, and the months of small events."""
    return _ENVIRONMENT.get_template("guide.md.j2").render(carries_over=carries_over).strip()


def broken_promises(pattern: Json, timing: Json) -> int:
    """Anomalies that the checker found and the guarantee sheet does not allow for, under faults and under load."""
    found = [*(fault["anomalies"] for fault in pattern["faults"].values()), timing.get("anomalies", {})]
    return sum(count for counted in found for count in counted.values())


def _marked(text: str) -> Markup:
    """Text with names in backquotes."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=lambda name: bool(name and name.endswith(".html.j2")),
    extensions=["jinja2.ext.do"],
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update(
    {name: value for name, value in vars(formatting).items() if inspect.isfunction(value)}, marked=_marked
)
_ENVIRONMENT.globals.update(
    {"NEEDS": NEEDS, "HEADINGS": HEADINGS, "MEANINGS": MEANINGS, "ANOMALIES": KINDS},
    FAULTS={kind.__name__: inspect.getdoc(kind) for kind in ENUMERATED},
    broken_promises=broken_promises,
    ceilings=ceilings,
    charts=charts,
    formatting=formatting,
    late_events=late_events,
    sizes=workloads,
)

if __name__ == "__main__":
    print(page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))

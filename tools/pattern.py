"""`python -m tools.pattern NAME`: makes patterns/NAME, a pattern that passes the whole suite at once.

It begins as a copy of the simplest pattern, under its own title and class name. Nothing else in the folder depends on
what the folder is called.
"""

import argparse
import json
import keyword
import re
import shutil
from pathlib import Path

from tools import tables
from tools.console import UsageError, progress, result, run
from tools.discovery import ALL, ROOT

TEMPLATE = "ksuid"
MAX_LENGTH = 29
"""A store is called `eventstore-NAME`, of at most 40 characters: its functions' names add to that."""

RESERVED = {ALL, "memory"}
"""What `make` and the suite call something else."""

NEXT_STEPS = """patterns/{name} is a pattern, a copy of {template} so far. Next:
  make deploy PATTERN={name}       it runs
  make conformance PATTERN={name}  and keeps the contract and its sheet
  patterns/{name}/store.py         the three operations: make them yours
  patterns/{name}/pattern.toml     what it promises and costs: the suite tests each line, make tables shows them
  patterns/{name}/README.md        how it works, how it fails, when to choose it"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the folder of a new pattern.")
    parser.add_argument("name", nargs="?", default="", help="its folder under patterns/")
    name = parser.parse_args().name
    folder = scaffold(name)
    progress(f"Made: {folder.relative_to(ROOT)}")
    tables.renew()
    result(NEXT_STEPS.format(name=name, template=TEMPLATE))


def scaffold(name: str, root: Path = ROOT) -> Path:
    """Makes the folder and gives its path.

    Raises:
        UsageError: for a name that cannot be one of a pattern, or is taken.
    """
    _check(name, root)
    template, folder = root / "patterns" / TEMPLATE, root / "patterns" / name
    shutil.copytree(template, folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    words = name.split("_")
    title, prefix = " ".join(words).capitalize(), "".join(word.capitalize() for word in words)
    for file in folder.rglob("*.py"):
        _edit(file, {f"`{TEMPLATE}`": f"`{name}`", f"{TEMPLATE.capitalize()}EventStore": f"{prefix}EventStore"})
    summary = f"A copy of {TEMPLATE}: say here what it is made of, and what makes it different"
    _edit(
        folder / "pattern.toml",
        {"(?m)^title = .*$": f"title = {json.dumps(title)}", "(?m)^summary = .*$": f"summary = {json.dumps(summary)}"},
    )
    note = f"It began as a copy of [`{TEMPLATE}`](../{TEMPLATE}/README.md). What follows was written for that one."
    _edit(folder / "README.md", {r"\A# .*\n": f"# `{name}`: {title}\n\n{note}\n"})
    return folder


def _check(name: str, root: Path) -> None:
    remedy = "give NAME=… in lower-case letters, digits and single underscores between them, such as NAME=my_pattern"
    if not name:
        raise UsageError(f"NAME is missing: {remedy}.")
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise UsageError(f"{name!r} cannot be the name of a Python package and of AWS resources: {remedy}.")
    if len(name) > MAX_LENGTH:
        raise UsageError(f"{name!r} leaves no room in names of functions: give at most {MAX_LENGTH} characters.")
    if name in RESERVED:
        raise UsageError(f"{name!r} is what make or the suite calls something else: give another NAME.")
    if (root / "patterns" / name).exists():
        raise UsageError(f"{name!r} is taken: give another NAME, or remove patterns/{name} first.")


def _edit(file: Path, replacements: dict[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in replacements.items():
        text = re.sub(old, new.replace("\\", r"\\"), text)
    file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main)

"""The patterns there are: each folder under patterns/ that has a pattern.toml. Nothing else lists them."""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tools.console import UsageError

ROOT = Path(__file__).resolve().parent.parent
ALL = "all"


@dataclass(frozen=True)
class Pattern:
    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def sheet(self) -> dict[str, Any]:
        """The content of its pattern.toml."""
        return tomllib.loads((self.folder / "pattern.toml").read_text(encoding="utf-8"))


def patterns(root: Path = ROOT) -> list[Pattern]:
    """All patterns, by name."""
    return [Pattern(sheet.parent) for sheet in sorted(root.glob("patterns/*/pattern.toml"))]


def containing(file: str) -> Pattern:
    """The pattern whose folder `file` lies in: a pattern's tests are those of whatever its folder is called."""
    return next(Pattern(folder) for folder in Path(file).resolve().parents if (folder / "pattern.toml").exists())


def select(wanted: str, root: Path = ROOT) -> list[Pattern]:
    """The pattern called `wanted`, or every one for `all`; anything else is a usage error that names the valid ones."""
    there_are = patterns(root)
    selected = [pattern for pattern in there_are if wanted in (pattern.name, ALL)]
    if not selected:
        complaint = f"There is no pattern {wanted!r}" if wanted else "PATTERN is missing"
        valid = ", ".join([*(pattern.name for pattern in there_are), ALL])
        raise UsageError(f"{complaint}: give PATTERN=… as one of {valid}.")
    return selected

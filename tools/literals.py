"""Finds names of patterns that are written out in a pattern's folder, where they are to follow from the folder's name.

With such a literal in it, a copy of the folder would deploy the original's functions, package or code.
"""

import re
from collections.abc import Iterator

from tools.console import Failure
from tools.discovery import Pattern, patterns

_TERRAFORM = r'"[^"]*(?:eventstore-\w|\w\.zip|patterns[./]\w)|\bpattern\s*=\s*"|"(?:{names})"'
_PYTHON = r"^\s*(?:from|import) patterns\b"


def refuse(pattern: Pattern) -> None:
    """A Failure that names the first literal, if there is one."""
    for place in found(pattern):
        raise Failure(
            f"{place} names a pattern, so that this folder would not deploy its own code. In Terraform take the names"
            " from module.identity (terraform/modules/pattern_identity); in Python import relatively."
        )


def found(pattern: Pattern) -> Iterator[str]:
    """Where a name is written out: file, line and the line's text. Comments may name patterns."""
    root = pattern.folder.parents[1]
    names = "|".join(each.name for each in patterns(root))
    for glob, literal in (("*.tf", _TERRAFORM.format(names=names)), ("**/*.py", _PYTHON)):
        for file in sorted(pattern.folder.glob(glob)):
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                if not line.lstrip().startswith("#") and re.search(literal, line):
                    yield f"{file.relative_to(root)}, line {number} ({line.strip()})"

"""The arguments that every command on deployed patterns takes."""

import argparse

from tools import targets
from tools.discovery import Pattern, select


def parse(description: str) -> tuple[list[Pattern], str]:
    """The patterns and the target's name."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("pattern", nargs="?", default="", help="a folder under patterns/, or all")
    parser.add_argument("--target", default="local", help="local (default), localstack or aws")
    given = parser.parse_args()
    targets.check(given.target)
    return select(given.pattern), given.target

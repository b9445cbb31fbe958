"""The arguments that every command on deployed patterns takes. Imports nothing but the standard library."""

import argparse

from tools.console import UsageError
from tools.discovery import Pattern, select

TARGETS = ("local", "localstack", "aws")


def parse(description: str) -> tuple[list[Pattern], str]:
    """The patterns and the target's name."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("pattern", nargs="?", default="", help="a folder under patterns/, or all")
    parser.add_argument("--target", default="local", help="local (default), localstack or aws")
    given = parser.parse_args()
    check_target(given.target)
    return select(given.pattern), given.target


def check_target(name: str) -> None:
    if name not in TARGETS:
        raise UsageError(f"There is no target {name!r}: give TARGET=… as one of {', '.join(TARGETS)}.")

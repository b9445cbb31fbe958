"""The arguments that every command on deployed patterns takes. Imports nothing but the standard library."""

import argparse

from tools.console import UsageError
from tools.discovery import Pattern, select

TARGETS = ("local", "localstack", "aws")


def parse(description: str) -> tuple[list[Pattern], str]:
    """The patterns and the target's name."""
    patterns, target, _ = parse_all(parser(description))
    return patterns, target


def parser(description: str) -> argparse.ArgumentParser:
    """For a command with arguments of its own besides."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("pattern", nargs="?", default="", help="a folder under patterns/, or all")
    made.add_argument("--target", default="local", help="local (default), localstack or aws")
    return made


def parse_all(given_to: argparse.ArgumentParser) -> tuple[list[Pattern], str, argparse.Namespace]:
    """The patterns, the target's name, and all that was given."""
    given = given_to.parse_args()
    check_target(given.target)
    return select(given.pattern), given.target, given


def check_target(name: str) -> None:
    if name not in TARGETS:
        raise UsageError(f"There is no target {name!r}: give TARGET=… as one of {', '.join(TARGETS)}.")

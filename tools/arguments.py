"""The arguments that every command on deployed patterns takes."""

import argparse

from tools import targets
from tools.discovery import Pattern, select


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
    targets.check(given.target)
    return select(given.pattern), given.target, given

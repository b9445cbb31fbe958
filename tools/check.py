"""`python -m tools.check PATTERN … [--target …]`: what commands need, checked before anything is installed.

That is a PATTERN and a TARGET that there are, and Terraform. Imports nothing but the standard library.
"""

import argparse

from tools import arguments, providers
from tools.console import run
from tools.discovery import select


def main() -> None:
    parser = argparse.ArgumentParser(description="Check what a command on patterns needs.")
    parser.add_argument("patterns", help="folders under patterns/, or all")
    parser.add_argument("--target", default="local")
    given = parser.parse_args()
    arguments.check_target(given.target)
    for name in given.patterns.split() or [""]:
        select(name)
    providers.find_terraform()


if __name__ == "__main__":
    run(main)

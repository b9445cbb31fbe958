"""`python -m tools.venv deploy|dev`: makes or completes `.venv`; `make` runs it when something is to be installed.

`deploy` is the handful of packages that commands on deployed patterns need, `dev` all that tests and the comparison
need. Imports nothing but the standard library.
"""

import argparse

from local import venvs
from tools.console import progress, run
from tools.discovery import ROOT

REQUIREMENTS = ROOT / "requirements"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the virtual environment.")
    parser.add_argument("packages", choices=["deploy", "dev"])
    packages = parser.parse_args().packages
    base = REQUIREMENTS / "deploy.txt" if packages == "dev" else None
    venvs.ensure(ROOT / ".venv", REQUIREMENTS / f"{packages}.txt", progress, base)


if __name__ == "__main__":
    run(main)

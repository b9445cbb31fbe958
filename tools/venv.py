"""`python -m tools.venv PACKAGES [--folder …]`: makes or completes a virtual environment, `.venv` if no other is named.

PACKAGES is a file of requirements: `deploy` is the handful of packages that commands on deployed patterns need, `dev`
all that tests and the comparison need. `make` runs this when something is to be installed. Imports nothing but the
standard library.
"""

import argparse

from local import venvs
from tools.console import progress, run
from tools.discovery import ROOT

REQUIREMENTS = ROOT / "requirements"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the virtual environment.")
    parser.add_argument("packages", choices=sorted(path.stem for path in REQUIREMENTS.glob("*.txt")))
    parser.add_argument("--folder", default=".venv")
    given = parser.parse_args()
    base = REQUIREMENTS / "deploy.txt" if given.packages == "dev" else None
    venvs.ensure(ROOT / given.folder, REQUIREMENTS / f"{given.packages}.txt", progress, base)


if __name__ == "__main__":
    run(main)

"""`python -m tools.lint`: style, types and the Terraform format. All of them are run, so that one fails none hides."""

import subprocess
import sys

from tools import providers
from tools.console import Failure, progress, run
from tools.discovery import ROOT


def main() -> None:
    checks = {
        "ruff check": [sys.executable, "-m", "ruff", "check", "--quiet", "."],
        "ruff format": [sys.executable, "-m", "ruff", "format", "--check", "--quiet", "."],
        "mypy": [sys.executable, "-m", "mypy", "--no-error-summary"],
        "terraform fmt": [providers.find_terraform().executable, "fmt", "-check", "-recursive", "-diff", "."],
        "generated tables": [sys.executable, "-m", "tools.tables", "--check"],
    }
    failed = [name for name, command in checks.items() if not _passes(name, command)]
    if failed:
        raise Failure(f"{', '.join(failed)} found faults, shown above.")


def _passes(name: str, command: list[str]) -> bool:
    progress(name)
    return subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=False).returncode == 0


if __name__ == "__main__":
    run(main)

"""What every command prints: results on stdout, progress on stderr, a failure as one line that says what to do next.

Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

import sys
from collections.abc import Callable

from rich.console import Console

_stderr = Console(stderr=True, highlight=False)


class Failure(Exception):
    """Something that a person can act on; the text is the one line they see."""

    status = 1


class UsageError(Failure):
    """The command was called wrongly."""

    status = 2


def progress(line: str, style: str = "") -> None:
    _stderr.print(line, style=style, soft_wrap=True, markup=False)


def result(text: str) -> None:
    print(text, flush=True)


def run(command: Callable[[], None]) -> None:
    """Runs a command to its end and exits."""
    try:
        command()
    except Failure as failure:
        progress(f"Error: {' '.join(str(failure).split())}", style="red")
        sys.exit(failure.status)
    except KeyboardInterrupt:
        progress("Interrupted.", style="red")
        sys.exit(130)

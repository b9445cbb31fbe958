"""What every command prints: results on stdout, progress on stderr, a failure as one line that says what to do next.

Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted. Imports nothing but the standard library, since the first
command runs before there is more.
"""

import io
import os
import sys
from collections.abc import Callable

from local import shell
from local.errors import LocalAwsError, LocalAwsUsageError


class Failure(Exception):
    """Something that a person can act on; the text is the one line they see."""

    status = 1


class UsageError(Failure):
    """The command was called wrongly."""

    status = 2


_COLOURS = {"red": 31, "yellow": 33}


def progress(line: str, style: str = "") -> None:
    """A line on standard error; the style, a colour, is for a terminal alone."""
    coloured = style and sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    print(f"\x1b[{_COLOURS[style]}m{line}\x1b[0m" if coloured else line, file=sys.stderr, flush=True)


def result(text: str) -> None:
    print(text, flush=True)


def run(command: Callable[[], None]) -> None:
    """Runs a command to its end and exits."""
    _write_what_can_be_written()
    try:
        shell.port()  # wrong is wrong, also for a command that would not come to read it
        command()
    except Failure as failure:
        _fail(str(failure), failure.status)
    except LocalAwsError as error:
        _fail(str(error), 2 if isinstance(error, LocalAwsUsageError) else 1)
    except KeyboardInterrupt:
        progress("Interrupted: run the same command again, and it continues.", style="red")
        sys.exit(130)
    except BrokenPipeError:  # its reader, such as head, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _write_what_can_be_written() -> None:
    """A terminal or a pipe that is not UTF-8 shows a question mark for what it has no sign for."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _fail(message: str, status: int) -> None:
    progress(f"Error: {' '.join(message.split())}", style="red")
    sys.exit(status)

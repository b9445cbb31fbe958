"""Progress on standard error: a live line on a terminal, plain lines in a log."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tell = Callable[[str], None]


def silent(_message: str) -> None:
    """For callers that want no progress, such as tests."""


@contextmanager
def live() -> Iterator[Tell]:
    """Gives a function that says what is happening now."""
    from rich.console import Console  # not above: .venv, which has it, is made with Tell

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda message: print(f"local AWS: {message}", file=sys.stderr, flush=True)
        return
    with console.status("local AWS") as status:
        yield lambda message: status.update(f"local AWS: {message}")

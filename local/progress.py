"""Progress on standard error: a live line on a terminal, plain lines in a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

Tell = Callable[[str], None]


def silent(_message: str) -> None:
    """For callers that want no progress, such as tests."""


@contextmanager
def live() -> Iterator[Tell]:
    """Gives a function that says what is happening now."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda message: console.print(f"local AWS: {message}", soft_wrap=True, markup=False)
        return
    with console.status("local AWS") as status:
        yield lambda message: status.update(f"local AWS: {message}")

"""A lock between processes, which the system releases when its holder dies, however it dies."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def _silently() -> None:
    pass


@contextmanager
def exclusive(path: Path, waiting: Callable[[], None] = _silently) -> Iterator[int]:
    """Holds the lock file `path`, after its holder; if there is one, `waiting` is called first.

    Gives the file's descriptor: a process that inherits it holds the lock too. The file stays, since removing it would
    be a race.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()

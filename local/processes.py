"""Which processes are ours: a server and its Lambda workers carry their instance id in their environment.

A process id alone proves nothing, since the system reuses it. So nothing here ends a process, or takes it for
running, by its number alone. Processes of other users cannot be read, and so never count
as ours.
"""

import os
import signal
import time
from contextlib import suppress

import psutil

INSTANCE_VARIABLE = "LOCAL_AWS_INSTANCE"


def belongs(pid: int, instance: str) -> bool:
    """Whether `pid` is alive and was started by, or as, the local AWS `instance`."""
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and process.environ().get(INSTANCE_VARIABLE) == instance
    except (psutil.Error, OSError):
        return False


def end(pid: int, instance: str, *, patience: float = 10.0) -> None:
    """Ask the server to end, and wait; then end by force what is left of its instance, workers included."""
    if belongs(pid, instance):
        os.kill(pid, signal.SIGTERM)
        _wait(pid, instance, patience)
    for leftover in psutil.pids():
        if belongs(leftover, instance):
            with suppress(ProcessLookupError):
                os.kill(leftover, signal.SIGKILL)
            _wait(leftover, instance, patience)


def _wait(pid: int, instance: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while belongs(pid, instance) and time.monotonic() < deadline:
        time.sleep(0.02)

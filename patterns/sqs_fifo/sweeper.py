"""The scheduled sweep: a Lambda of its own, so that looking never holds up the sequencer.

It may read both tables and write nothing but its cursor; what it finds behind, it rings for through the queue, under a
deduplication id of its own: the queue would take a repetition of the relay's for done. A ring that is lost is rung
again by the next pass.
"""

import os
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from lambdas.eventstore.sequencing import runtime
from lambdas.eventstore.sequencing.doorbells import Doorbells

from .queue import Queue


@runtime.function
def handler(event: Mapping[str, Any]) -> None:
    _sweep()()


def from_environment(environ: Mapping[str, str]) -> Callable[[], int]:
    """The sweep that the Lambda's environment describes: `runtime.sweeper`, and QUEUE_URL."""
    queue = Queue.from_environment(environ)

    def ring(stragglers: Doorbells) -> None:
        queue.send(stragglers, occasion=str(uuid.uuid4()))

    return runtime.sweeper(environ, ring)


@cache
def _sweep() -> Callable[[], int]:
    return from_environment(os.environ)

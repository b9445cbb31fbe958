"""The Lambda of each projection: PROJECTION says which one it is.

`{"command": "crash"}`, for those who want to see it, lets it die in the middle of a batch.
"""

import os
import time
from collections.abc import Sequence
from typing import Any

from examples.accounts.projections import PROJECTIONS
from lambdas.eventstore import StoredEvent
from lambdas.projections import runtime

_CRASH_SECONDS = 5.0
"""How long it waits for a batch to die in."""

_projection = PROJECTIONS[os.environ["PROJECTION"]]()
_handle = runtime.function(_projection, os.environ)


def handler(event: Any, context: Any) -> dict[str, Any]:
    if isinstance(event, dict) and event.get("command") == "crash":
        _die_in_a_batch()
    return _handle(event, context)


def _die_in_a_batch() -> None:
    """Between what was read and applied, and the write of it; unless another runner has been faster all the time."""

    def die(events: Sequence[StoredEvent]) -> None:
        os._exit(1)

    dying = runtime.runner_of(_projection, os.environ, die)
    deadline = time.monotonic() + _CRASH_SECONDS
    while time.monotonic() < deadline:
        dying.run()

"""How often an event is late where order is by the writers' clocks: a simulation, by clock skew and settle window.

An event has the time of its writer's clock, and shows some time after it was stored. A reader that polls passes its
place once it reads up to a settle window behind now; an event that does not show by then it never sees. The store is
busy, so that a reader's offset is always at the end of what it may read. Seeded: the same in each run.
"""

import math
import random
from dataclasses import dataclass

SKEWS = (0.0, 0.1, 0.5, 2.0)
"""Standard deviation of the writers' clocks, in seconds."""

WINDOWS = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Settle windows, in seconds."""

DEFAULT_WINDOW = 2.0
EVENTS = 50_000
POLL_SECONDS = 1.0

COMMIT_SECONDS = (0.005, 0.03)
"""From taking the id to being stored."""

INDEX_MEDIAN, INDEX_RARELY = 0.015, 1.0
"""Seconds until an index shows what is stored: half of the time, and in all but one of 1,000 cases. AWS says only
"usually within a fraction of a second" (developerguide/GSI.html): assumed."""

_SPREAD = math.log(INDEX_RARELY / INDEX_MEDIAN) / 3.09


@dataclass(frozen=True)
class LateShare:
    skew: float
    window: float
    late: float
    """Share of all events."""


def shares() -> list[LateShare]:
    return [LateShare(skew, window, late_share(skew, window)) for skew in SKEWS for window in WINDOWS]


def late_share(skew: float, window: float, events: int = EVENTS) -> float:
    chance = random.Random("late")
    late = 0
    for _ in range(events):
        clock = chance.gauss(0.0, 1.0) * skew
        visible = chance.uniform(*COMMIT_SECONDS) + math.exp(chance.gauss(math.log(INDEX_MEDIAN), _SPREAD))
        phase = chance.random() * POLL_SECONDS
        # The event is stored at 0. The reader's first look that may pass its place comes a window after its time …
        may_pass = clock + window
        first_look = phase + math.ceil((may_pass - phase) / POLL_SECONDS) * POLL_SECONDS
        late += first_look < visible
    return late / events

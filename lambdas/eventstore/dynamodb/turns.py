"""How appends take turns at the tail of a log, so that none starves: whatever an attempt takes, however many wait.

Only one append at a time can take the next position. Who loses the race for it must not try again at once (a lost
attempt is paid for), nor back off ever further (newcomers would overtake). So an append that has lost a race leaves
in its log entry until when the log is likely to be busy: for as long again as it has waited. Who reads that entry gives
way, the less the longer it has waited itself. All pauses are multiples of what an attempt takes here and now, and
they shrink with age. Throttles are counted apart from races: they say nothing about whose turn it is.
"""

from __future__ import annotations

import random
import time

from lambdas.eventstore.retry import Retries

GIVES_WAY = 0.3
"""The part of the time that the log is likely to be busy for, up to which a newcomer lets others go first."""

LOSES_BY = 0.3, 0.8
"""The part of the same time, less its own age, for which the loser of a race waits: together, the oldest come first."""

SPREAD = 4.0
"""Attempts over which losers of one race spread. Halved at an age of as many attempts."""

IN_FLIGHT = 0.3
"""Of an attempt: how long a transaction that was met in flight may hold its items still."""

MOST_THROTTLES = 16
"""Attempts over which throttled appends spread at most."""

OTHERS_FIRST = "other appends took every next position"


class Turn:
    """The attempts of one append. `busy_for` is what the tail of the log says, in seconds; `took`, the last attempt."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._retries = Retries()
        self._races = self._throttles = 0
        self._attempt = 0.0

    @property
    def age(self) -> float:
        return time.monotonic() - self._began

    @property
    def busy_until(self) -> float | None:
        """What to leave in the log, in Unix seconds; None if nobody was in the way."""
        return time.time() + self.age if self._races or self._throttles else None

    def wait(self, seconds: float, why: str) -> None:
        """Wait for as long as the caller says, within the time of this append."""
        self._retries.wait(seconds, why)

    def give_way(self, busy_for: float) -> bool:
        """Let others go first; whether it did, so that the tail has to be read again."""
        if busy_for <= 0 or self._retries.attempts > 1:
            return False
        self._retries.wait(random.uniform(0, GIVES_WAY) * busy_for, OTHERS_FIRST)
        return True

    def raced(self, took: float, busy_for: float, in_flight: bool) -> None:
        """Wait after a lost race, with another transaction (`in_flight`) or with an append that is stored."""
        self._races += 1
        pause = self._lead(busy_for) + self._spread(took, SPREAD)
        if in_flight:
            pause += IN_FLIGHT * self._attempt
        self._retries.wait(pause, OTHERS_FIRST)

    def throttled(self, took: float, busy_for: float) -> None:
        """Wait after the log's partition, or the account, has refused an attempt: longer with each time."""
        self._throttles += 1
        pause = self._lead(busy_for) + self._spread(took, SPREAD + min(self._throttles, MOST_THROTTLES))
        self._retries.wait(pause, "DynamoDB throttled every attempt")

    def _lead(self, busy_for: float) -> float:
        """What those who have waited longer have ahead of this append."""
        return random.uniform(*LOSES_BY) * max(0.0, busy_for - self.age)

    def _spread(self, took: float, attempts: float) -> float:
        """At random within so many attempts, as long as they take now; within fewer, the older this append is."""
        self._attempt = max(took, 0.8 * self._attempt)
        window = attempts * self._attempt
        return random.uniform(0, window / (1 + self.age / window)) if window else 0.0

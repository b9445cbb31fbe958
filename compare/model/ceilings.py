"""What happens as the load grows past a ceiling: small simulations of the three ways in which a limit is felt.

A pattern's sheet says where its ceilings are, with sources, and by `past_it` how each is felt: requests are throttled,
wait for their turn, or are taken in while the log falls behind. Simulated in multiples of the ceiling, seeded, the same
in each run. Ceilings that AWS raises for a while (burst capacity) are not modelled: the figures are for sustained load.
"""

import heapq
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

LOADS = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 3.0)
"""Offered load, in multiples of the ceiling."""

THROTTLES, SERIALISES, LAGS = "throttles", "serialises", "lags"

SECONDS = 60.0
"""Simulated time; what is under way at its end is let finish."""

LAG_AFTER = 3600.0
STREAM_RETENTION = 24 * 3600.0
"""Seconds that a DynamoDB stream keeps a record (developerguide/Streams.html)."""


@dataclass(frozen=True)
class Point:
    """At one offered load. `goodput` is in multiples of the ceiling, times are in seconds."""

    load: float
    goodput: float
    failed: float
    """Share of the requests that came back as errors."""
    p50: float
    p99: float
    attempts: float
    """For each request: what is billed, since throttled and cancelled writes are mostly paid for."""
    lag: float = 0.0
    """How far the log is behind after an hour of this."""


def past(ceiling: Mapping[str, Any]) -> list[Point]:
    """What happens at each load in `LOADS`; nothing where the sheet does not say that anything does."""
    return _KINDS[ceiling["past_it"]]() if "past_it" in ceiling else []


def throttled() -> list[Point]:
    return [_run(load, _Throttled()) for load in LOADS]


def serialised() -> list[Point]:
    return [_run(load, _Serialised()) for load in LOADS]


def lagging() -> list[Point]:
    """No queueing in front of the caller. The backlog is what came in less what the log took."""
    return [Point(load, min(load, 1.0), 0.0, 0.0, 0.0, 1.0, lag=max(0.0, load - 1.0) * LAG_AFTER) for load in LOADS]


def hours_until_lost(load: float) -> float | None:
    """Hours of such a load until the log is so far behind that the stream drops records; None if it keeps up.

    After t the newest record waits (load - 1) t, and the oldest that is not read yet is t - t / load old.
    """
    return STREAM_RETENTION / (1 - 1 / load) / 3600 if load > 1 else None


_KINDS: Mapping[str, Callable[[], list[Point]]] = {THROTTLES: throttled, SERIALISES: serialised, LAGS: lagging}


class _Throttled:
    """So many units a second, each request taking one; a tenth of a second's worth can be saved."""

    rate = 100.0
    """Requests a second that stand for the ceiling, so that 1,000 and 40,000 take the same time to simulate."""
    attempts, longest_backoff = 5, 20.0
    """Of the SDK's standard mode, as `lambdas.eventstore.aws` configures it (botocore.retries.standard)."""

    def __init__(self) -> None:
        self._tokens, self._at = self.rate / 10, 0.0

    def attempt(self, now: float) -> tuple[float, bool]:
        """When the answer comes, and whether the request was taken."""
        self._tokens = min(self.rate / 10, self._tokens + (now - self._at) * self.rate)
        self._at = now
        taken = self._tokens >= 1
        self._tokens -= taken
        return now + 0.005, taken

    def pause(self, attempt: int, waited: float, chance: random.Random) -> float | None:
        """Seconds until the next attempt, None for no more."""
        if attempt >= self.attempts:
            return None
        return chance.random() * min(2.0 ** (attempt - 1), self.longest_backoff)


class _Serialised:
    """An attempt reads the tail, and a while later takes the place behind it, unless another was faster."""

    rate = 20.0
    """A read and a transaction take 50 ms together."""
    lambda_seconds = 9.5
    """How long an append goes on trying: a timeout of 10 s, less what the handler keeps back."""
    race_window = 0.25
    """Seconds within which the loser of a race tries again, less with each loss."""

    def __init__(self) -> None:
        self._last_commit = 0.0

    def attempt(self, now: float) -> tuple[float, bool]:
        answered, won = now + 1 / self.rate, self._last_commit <= now
        if won:
            self._last_commit = answered
        return answered, won

    def pause(self, attempt: int, waited: float, chance: random.Random) -> float | None:
        pause = chance.random() * self.race_window / attempt
        return pause if waited + pause < self.lambda_seconds else None


def _run(load: float, limit: _Throttled | _Serialised) -> Point:
    chance = random.Random(load)
    order = count()
    queue: list[tuple[float, int, float, int]] = []
    now = 0.0
    while (now := now + chance.expovariate(limit.rate * load)) < SECONDS:
        queue.append((now, next(order), now, 1))
    offered = len(queue)
    heapq.heapify(queue)
    waits: list[float] = []
    attempts = done_in_time = 0
    while queue:
        now, _, began, attempt = heapq.heappop(queue)
        attempts += 1
        answered, taken = limit.attempt(now)
        if taken:
            waits.append(answered - began)
            done_in_time += answered <= SECONDS
        elif (pause := limit.pause(attempt, answered - began, chance)) is not None:
            heapq.heappush(queue, (answered + pause, next(order), began, attempt + 1))
    waits.sort()
    return Point(
        load=load,
        goodput=done_in_time / SECONDS / limit.rate,
        failed=1 - len(waits) / offered,
        p50=waits[len(waits) // 2],
        p99=waits[int(len(waits) * 0.99)],
        attempts=attempts / offered,
    )

"""How long an operation may go on trying, and how it waits between attempts.

Contention is retried with full jitter (aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter,
read 2026-11) for as long as the invocation has time, and then raised: the caller's request stays unanswered, never
half done.
"""

import math
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0
"""Seconds. The first is about twice a transaction's latency; the longest bounds how long a free slot stays unused."""

MARGIN = 0.5
"""Seconds kept for the attempt that follows the last pause."""

_deadline: ContextVar[float] = ContextVar("deadline")


class OutOfTime(Exception):
    """Contention, throttling or silence outlasted the invocation. Nothing was stored, unless the message doubts it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Bound everything inside to `seconds` from now: the time that the Lambda invocation has left."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def pause(attempt: int, why: str, window: float | None = None) -> None:
    """Wait before attempt `attempt` + 1 (attempts count from 0), somewhere in `window`: seconds, growing if not given.

    Raises:
        OutOfTime: too little time is left for another attempt.
    """
    if window is None:
        window = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
    seconds = random.uniform(0, window)
    if _deadline.get() - time.monotonic() < seconds + MARGIN:
        raise OutOfTime(f"gave up after {attempt + 1} attempts: {why}")
    time.sleep(seconds)


def time_left() -> float:
    """Seconds until the time limit; without one there is no end."""
    deadline = _deadline.get(None)
    return math.inf if deadline is None else deadline - time.monotonic()

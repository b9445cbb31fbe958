"""How long an operation may go on trying, and how it waits between attempts.

Contention is retried with full jitter (aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter,
read 2026-11) for as long as the invocation has time, and then raised: the caller's request stays unanswered, never
half done.
"""

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

DEFAULT_SECONDS = 10.0
"""How long to go on trying where nobody has set a time limit."""

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0
"""Seconds. The first is about twice a transaction's latency; the longest bounds how long a free slot stays unused."""

MARGIN = 0.5
"""Seconds kept for the attempt that follows the last pause."""

_SHORTEST_ALARM = 0.001
"""Seconds; none at all would turn the alarm off."""

_NEXT_ALARM = 0.1
"""Seconds from one alarm to the next: Python drops an exception that is raised while it collects garbage."""

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


class OutOfTime(Exception):
    """Contention, throttling or silence outlasted the time limit. Nothing was stored, unless the message doubts it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Bound everything inside to `seconds` from now: the time that the Lambda invocation has left."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def seconds_left() -> float:
    """How long what runs inside the time limit may still take; infinity without one."""
    deadline = _deadline.get()
    return deadline - time.monotonic() if deadline else inf


class _Alarm(BaseException):
    """No `except Exception` of the SDK may take this for a fault of the network, and try again."""


@contextmanager
def invocation(seconds: float) -> Iterator[None]:
    """Bound a Lambda's invocation to `seconds`: what is still waiting then, for whatever, ends in an exception.

    A service that is silent for as long as the SDK's own attempts take would end in Lambda's kill, whose reason
    no log tells. Works in the main thread, where Lambda runs handlers; in any other it does nothing.

    Raises:
        OutOfTime: the time is over.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGALRM, _raise_alarm)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, _SHORTEST_ALARM), _NEXT_ALARM)
    try:
        yield
    except _Alarm:
        raise OutOfTime(
            "a service did not answer in the time of this invocation; only a retry with the same requestId tells "
            "whether anything was stored"
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _raise_alarm(*_: object) -> None:
    raise _Alarm


class Retries:
    """The attempts at one thing. Without a `time_limit` they end `DEFAULT_SECONDS` after their first pause began."""

    def __init__(self) -> None:
        self.attempts = 1
        self._default: float | None = None

    def pause(self, why: str, window: float | None = None) -> None:
        """Wait before the next attempt, somewhere in `window`: seconds, growing with the attempts if not given.

        Raises:
            OutOfTime: too little time is left for another attempt.
        """
        if window is None:
            window = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self.attempts - 1))
        self.wait(random.uniform(0, window), why)

    def wait(self, seconds: float, why: str) -> None:
        """Wait before the next attempt for as long as the caller says.

        Raises:
            OutOfTime: too little time is left for another attempt.
        """
        now = time.monotonic()
        self._default = self._default or now + DEFAULT_SECONDS
        deadline = _deadline.get() or self._default
        if deadline - now < seconds + MARGIN:
            raise OutOfTime(f"gave up after {self.attempts} attempts: {why}")
        time.sleep(seconds)
        self.attempts += 1

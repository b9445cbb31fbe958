"""Event ids: KSUIDs as a hybrid logical clock.

A KSUID's tail is random, so naive ids shuffle the events of one instant. Here ids rise within a request, and rise
over the id they are told to follow (the previous event of the aggregate), whatever this machine's clock says: a
clock that is behind costs precision, never order. Format: svix `KsuidMs`, 40 bits of time in steps of 4 ms, then a
tail of 120 bits.
"""

import secrets
import struct
from datetime import UTC, datetime

from ksuid import KsuidMs

_TAIL_BITS = 8 * KsuidMs.PAYLOAD_LENGTH_IN_BYTES
_STEP_BITS = 100
"""Steps within a tick: random, so that two writers who follow the same id still differ; small enough that 2^19 fit."""

_TICKS_PER_SECOND = 250
_LARGEST = str(KsuidMs.from_bytes(b"\xff" * KsuidMs.BYTES_LENGTH))

MAX_DRIFT = 300.0
"""Seconds that a clock can be off unnoticed: AWS denies a request whose signature is more than five minutes old or
ahead (docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-signing.html, read 2026-11)."""

LENGTH = KsuidMs.BASE62_LENGTH
SMALLEST = "0" * LENGTH


class ClockDrift(Exception):
    """A clock is too far off to make an id by. Nothing was stored."""


def issue_near(count: int, now: float, after: str | None = None) -> list[str]:
    """As `issue`, for a store whose global order is that of the ids: none is further ahead than a clock can be.

    An id that is ahead hides its event from readers of all events until its time has come, and lifts every id that
    follows it, in each aggregate that one request touches together with it.

    Raises:
        ClockDrift: `after` is more than `MAX_DRIFT` ahead of `now`.
    """
    ahead = seconds_of(after) - now if after else 0.0
    if ahead > MAX_DRIFT:
        raise ClockDrift(
            f"the event before was stored by a clock {ahead:,.0f} s ahead of this one, and AWS denies requests of "
            f"clocks that are {MAX_DRIFT:.0f} s off: look for who put it there, or at this machine's clock"
        )
    return issue(count, now, after)


def issue(count: int, now: float, after: str | None = None) -> list[str]:
    """`count` rising ids for the instant `now` (Unix seconds), all of them greater than `after`.

    Raises:
        ClockDrift: there are no ids for `now`: they begin in May 2014 and end in 2150.
    """
    floor = _number(after) if after else 0
    following = _fresh(_tick(now))
    if following <= floor:
        following = _step(floor)
    ids = []
    for _ in range(count):
        ids.append(_text(following))
        following = _step(following)
    return ids


def first_of(now: float) -> str:
    """The smallest id of the instant `now`: the ids of earlier instants are below it, and no others."""
    return _text(_tick(now) << _TAIL_BITS)


def seconds_of(event_id: str) -> float:
    """The instant of an id, in Unix seconds: when its event was stored, by the writer's clock."""
    return KsuidMs.from_base62(event_id).timestamp


def successor(event_id: str) -> str:
    """The smallest id above `event_id`; the largest id has none and answers with itself."""
    return event_id if event_id == _LARGEST else _text(_number(event_id) + 1)


def is_ksuid(text: str) -> bool:
    return len(text) == LENGTH and text.isascii() and text.isalnum() and text <= _LARGEST


def _tick(now: float) -> int:
    try:
        ksuid = KsuidMs(datetime.fromtimestamp(now, tz=UTC))
    except (struct.error, ValueError, OverflowError, OSError):
        raise ClockDrift(f"there is no id for Unix time {now:,.0f}: this machine's clock is wrong") from None
    return int.from_bytes(bytes(ksuid)[: -KsuidMs.PAYLOAD_LENGTH_IN_BYTES])


def _fresh(tick: int) -> int:
    """The first id of a tick. Its top random bit is 0, which leaves room for the ids that follow."""
    return tick << _TAIL_BITS | secrets.randbits(_TAIL_BITS - 1)


def _step(number: int) -> int:
    following = number + 1 + secrets.randbits(_STEP_BITS)
    tick = number >> _TAIL_BITS
    return following if following >> _TAIL_BITS == tick else _fresh(_next_tick(tick))


def _next_tick(tick: int) -> int:
    second, fraction = divmod(tick, 256)
    return (second + 1) * 256 if fraction + 1 >= _TICKS_PER_SECOND else tick + 1


def _number(event_id: str) -> int:
    return int.from_bytes(bytes(KsuidMs.from_base62(event_id)))


def _text(number: int) -> str:
    return str(KsuidMs.from_bytes(number.to_bytes(KsuidMs.BYTES_LENGTH)))

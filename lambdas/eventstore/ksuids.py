"""Event ids: KSUIDs as a hybrid logical clock.

A KSUID's tail is random, so naive ids shuffle the events of one instant. Here ids rise within a request, and rise
over the id they are told to follow (the previous event of the aggregate), whatever this machine's clock says: a
clock that is behind costs precision, never order. Format: svix `KsuidMs`, 40 bits of time in steps of 4 ms, then a
tail of 120 bits.
"""

import secrets
from datetime import UTC, datetime

from ksuid import KsuidMs

_TAIL_BITS = 8 * KsuidMs.PAYLOAD_LENGTH_IN_BYTES
_STEP_BITS = 100
"""Steps within a tick: random, so that two writers who follow the same id still differ; small enough that 2^19 fit."""

_TICKS_PER_SECOND = 250
_LARGEST = str(KsuidMs.from_bytes(b"\xff" * KsuidMs.BYTES_LENGTH))

LENGTH = KsuidMs.BASE62_LENGTH
SMALLEST = "0" * LENGTH


def issue(count: int, now: float, after: str | None = None) -> list[str]:
    """`count` rising ids for the instant `now` (Unix seconds), all of them greater than `after`."""
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
    return int.from_bytes(bytes(KsuidMs(datetime.fromtimestamp(now, tz=UTC)))[: -KsuidMs.PAYLOAD_LENGTH_IN_BYTES])


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

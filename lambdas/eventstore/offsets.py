"""Offsets: those that count 1, 2, 3 … as decimal strings, and the refusal of what no store has ever given as one."""

import re

from lambdas.eventstore.errors import InvalidRequest

_POSITION = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)


def to_position(after: str | None) -> int:
    """The position behind which to read: 0 for the start.

    Raises:
        InvalidRequest: `after` was never an offset of such a store.
    """
    if after is None:
        return 0
    if not _POSITION.fullmatch(after):
        raise refusal()
    return int(after)


def beyond(end: int) -> InvalidRequest:
    """What `get_all_events` raises for an `after` that a store has given out, and whose log ends at `end` now."""
    return InvalidRequest(
        "/after",
        f"is beyond the end of the log, {end}: the log was set back, as by a restore, and will have "
        "other events where this reader has been. Rebuild what was made of them, reading from the start",
    )


def refusal() -> InvalidRequest:
    """What `get_all_events` raises for an `after` that is not an offset of this store, in every pattern."""
    return InvalidRequest("/after", "is not an offset of this store: pass on `next` or an event's `offset`")

"""Dense offsets: 1, 2, 3 … as decimal strings, for the stores that number their events."""

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
        raise InvalidRequest("/after", "is not an offset of this store: pass on `next` or an event's `offset`")
    return int(after)

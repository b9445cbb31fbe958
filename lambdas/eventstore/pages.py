"""Pages: as many events as were asked for, or as fit a Lambda response."""

import json
from collections.abc import Iterable

from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.limits import PAGE_BYTES


def take(events: Iterable[StoredEvent], limit: int, max_bytes: int = PAGE_BYTES) -> tuple[list[StoredEvent], bool]:
    """The first `limit` events, fewer if their JSON would pass `max_bytes`, and whether there was another.

    Draws at most one event more than it returns, so that "there is more" is known and not guessed. Sizes are those
    of JSON with non-ASCII characters escaped: the widest form that a Lambda runtime may answer with.
    """
    page: list[StoredEvent] = []
    size = 0
    for event in events:
        size += len(json.dumps(event.to_wire())) + 2
        if len(page) == limit or (page and size > max_bytes):
            return page, True
        page.append(event)
    return page, False

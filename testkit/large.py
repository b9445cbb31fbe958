"""Events as large as they may be."""

import json
from typing import Any

from lambdas.eventstore.limits import EVENT_BYTES, REQUEST_BYTES
from testkit.examples import Event, event
from testkit.subjects import Subject


def size(value: Any) -> int:
    """Bytes of the value as compact UTF-8 JSON, which is how the limits count."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def large_event(aggregate: str, version: int, bytes_of_json: int = EVENT_BYTES) -> Event:
    """An event of exactly so many bytes."""
    small = event(aggregate, version, text="")
    return event(aggregate, version, text="x" * (bytes_of_json - size(small)))


def store_large(store: Subject, aggregate: str, count: int) -> None:
    """Stores `count` events of the greatest size, as many in a request as fit."""
    together = REQUEST_BYTES // EVENT_BYTES - 1
    for first in range(1, count + 1, together):
        store.store(*(large_event(aggregate, first + n) for n in range(min(together, count + 1 - first))))

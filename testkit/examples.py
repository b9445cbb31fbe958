"""Requests to store events, as short as a test can write them."""

import random
from typing import Any
from uuid import uuid4

Event = dict[str, Any]


def new_id() -> str:
    """An id that no other test has: stores under test are shared."""
    return str(uuid4())


def event(aggregate: str, version: int, /, **metadata: Any) -> Event:
    return {
        "aggregateId": aggregate,
        "aggregateVersion": version,
        "eventType": "MONEY_DEPOSITED",
        "eventVersion": 1,
        "metadata": metadata,
    }


def history(aggregate: str, count: int, first: int = 1, **metadata: Any) -> list[Event]:
    """`count` events of one aggregate, their versions from `first` on."""
    return [event(aggregate, version, n=version, **metadata) for version in range(first, first + count)]


LARGEST_INTEGER = 2**53 - 1
SMALLEST, LARGEST = 1e-130, 9.9e125
"""Of the floats that DynamoDB keeps, apart from 0 (developerguide, data types: Number)."""

EDGES: list[float] = [0, -0.0, 1.0, -1.0, 100.0, 1e22, 0.1 + 0.2, LARGEST_INTEGER, SMALLEST, -LARGEST]


def numbers(count: int = 3) -> list[float]:
    """Any numbers that metadata may hold, of every size and written in every way, and one that is an edge."""
    floats = (float(f"{_DRAW.uniform(-9.9, 9.9)}e{_DRAW.randint(-129, 125)}") for _ in range(count))
    return [
        *floats,
        float(_DRAW.randint(0, 10**6)),
        _DRAW.randint(-LARGEST_INTEGER, LARGEST_INTEGER),
        _DRAW.choice(EDGES),
    ]


_DRAW = random.Random(20261125)


def bare(events: list[Event]) -> list[Event]:
    """Events without what the store assigns, to compare what was stored with what was asked for."""
    return [{name: value for name, value in event.items() if name not in ("eventId", "offset")} for event in events]


def versions(events: list[Event]) -> list[int]:
    return [event["aggregateVersion"] for event in events]

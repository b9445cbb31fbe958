"""Requests to store events, as short as a test can write them."""

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


def bare(events: list[Event]) -> list[Event]:
    """Events without what the store assigns, to compare what was stored with what was asked for."""
    return [{name: value for name, value in event.items() if name not in ("eventId", "offset")} for event in events]


def versions(events: list[Event]) -> list[int]:
    return [event["aggregateVersion"] for event in events]

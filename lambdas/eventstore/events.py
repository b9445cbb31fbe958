"""An event, before and after it is stored, and its JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event as the caller names it. `aggregate_version` counts from 1; `event_version` is its type's schema."""

    aggregate_id: str
    aggregate_version: int
    event_type: str
    event_version: int
    metadata: dict[str, Any]

    @classmethod
    def from_wire(cls, event: Mapping[str, Any]) -> NewEvent:
        return cls(
            aggregate_id=event["aggregateId"],
            aggregate_version=int(event["aggregateVersion"]),
            event_type=event["eventType"],
            event_version=int(event["eventVersion"]),
            metadata=event["metadata"],
        )

    def to_wire(self) -> dict[str, Any]:
        return {
            "aggregateId": self.aggregate_id,
            "aggregateVersion": self.aggregate_version,
            "eventType": self.event_type,
            "eventVersion": self.event_version,
            "metadata": self.metadata,
        }

    def stored(self, event_id: str, offset: str | None = None) -> StoredEvent:
        return StoredEvent(
            self.aggregate_id,
            self.aggregate_version,
            self.event_type,
            self.event_version,
            self.metadata,
            event_id,
            offset,
        )


@dataclass(frozen=True, slots=True)
class StoredEvent(NewEvent):
    """An event as the store keeps it. `event_id` is a KSUID; `offset` is its place in the global order, once known."""

    event_id: str
    offset: str | None = None

    @classmethod
    def from_wire(cls, event: Mapping[str, Any]) -> StoredEvent:
        return NewEvent.from_wire(event).stored(event["eventId"], event.get("offset"))

    def to_wire(self) -> dict[str, Any]:
        # Spelled out, because a dataclass with slots cannot call super() without arguments (CPython issue 90562).
        event = {**NewEvent.to_wire(self), "eventId": self.event_id}
        return event if self.offset is None else {**event, "offset": self.offset}

    def at(self, offset: str) -> StoredEvent:
        """The same event, its place in the global order now known."""
        return replace(self, offset=offset)

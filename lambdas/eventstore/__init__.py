"""The event store's contract, and what every implementation of it shares.

Start with `contract` (the three operations and what they promise), then `wire` (the same as JSON).
"""

from lambdas.eventstore.contract import AggregatePage, Append, EventStore, LogPage, StoreModule
from lambdas.eventstore.errors import InvalidRequest, Refusal, VersionConflict
from lambdas.eventstore.events import NewEvent, StoredEvent

__all__ = [
    "AggregatePage",
    "Append",
    "EventStore",
    "InvalidRequest",
    "LogPage",
    "NewEvent",
    "Refusal",
    "StoreModule",
    "StoredEvent",
    "VersionConflict",
]

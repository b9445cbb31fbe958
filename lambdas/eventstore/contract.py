"""The contract: three operations, and what each promises in every pattern.

A pattern implements `EventStore` on its AWS services. What a pattern may do differently is a line of its guarantee
sheet (`pattern.toml`): the kind of global order, when an event shows in it, whether one can be late, whether offsets
are dense. Requests arrive validated (`wire` does that once), so implementations check nothing of their form.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from lambdas.eventstore.errors import InvalidRequest, VersionConflict
from lambdas.eventstore.events import NewEvent, StoredEvent
from lambdas.eventstore.limits import MAX_INTEGER


@dataclass(frozen=True)
class Append:
    """One request to store events: 1 to 40 of them, over one or more aggregates, atomically.

    Raises:
        InvalidRequest: versions of an aggregate do not follow one another, which no state of a store could accept.
    """

    events: tuple[NewEvent, ...]
    request_id: str | None = None

    def __post_init__(self) -> None:
        last: dict[str, int] = {}
        for index, event in enumerate(self.events):
            previous = last.setdefault(event.aggregate_id, event.aggregate_version - 1)
            if event.aggregate_version != previous + 1:
                raise InvalidRequest(
                    f"/events/{index}",
                    f"has version {event.aggregate_version} of its aggregate, and the event before it in this request "
                    f"has version {previous}: number the events of an aggregate without holes, in their order",
                )
            last[event.aggregate_id] = event.aggregate_version

    @cached_property
    def expected(self) -> dict[str, int]:
        """The version that the request assumes to be stored, for each aggregate in the order of the request."""
        expected: dict[str, int] = {}
        for event in self.events:
            expected.setdefault(event.aggregate_id, event.aggregate_version - 1)
        return expected

    @cached_property
    def builds_on(self) -> int:
        """How many aggregates of the request exist already, as it assumes."""
        return sum(1 for version in self.expected.values() if version)

    def conflict(self, current_version: Callable[[str], int]) -> VersionConflict | None:
        """The rule of optimistic concurrency, for each aggregate; None when the request fits what is stored."""
        for aggregate, expected in self.expected.items():
            if (current := current_version(aggregate)) != expected:
                return VersionConflict(aggregate, expected, current)
        return None

    @cached_property
    def digest(self) -> str:
        """128 bits that tell this request's events from any others; equal JSON values give equal digests.

        Kept beside `request_id` on every stored event, so that one item is enough to recognise a whole request.
        """
        canonical = json.dumps(_canonical([event.to_wire() for event in self.events]), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class AggregatePage:
    """Events of one aggregate in version order. `next_version` is where to read on, None at the end."""

    events: Sequence[StoredEvent]
    next_version: int | None


@dataclass(frozen=True, slots=True)
class LogPage:
    """Events of all aggregates in global order, each with its offset.

    `next` is the `after` of the next call: the last event's offset, or the `after` of this call if nothing is new.
    """

    events: Sequence[StoredEvent]
    next: str | None
    has_more: bool


class EventStore(ABC):
    """An append-only store of events, grouped in aggregates, with one order over all of them.

    An operation that meets contention, throttling or an AWS service out of reach tries again for as long as the
    `retry.time_limit` around it allows; `wire` sets that of the Lambda invocation. A store that is used without one
    goes on for `retry.DEFAULT_SECONDS` (10 s) from its first retry on. Then it raises `retry.OutOfTime`.
    """

    @abstractmethod
    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        """Append all of the events, or none; answer with them in request order, each with its `event_id`.

        The events are durable, and readable by `get_aggregate_events`, when this returns. A request that was
        stored before (same `request_id`, equal events) answers with what was stored then and stores nothing.
        A request without `request_id` is still stored at most once, however often the SDK sends it.

        Raises:
            VersionConflict: for the first aggregate, in request order, that is not at the version that the request
                assumes. Never for a request that is stored, whichever attempt of it has stored it.
            Exception: AWS is out of reach, or contention outlasted the time limit. Either all of the events were
                stored or none; a retry with the same `request_id` finds out which.
        """

    @abstractmethod
    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        """Events of one aggregate from `from_version` on, ascending; none for an unknown aggregate.

        Strongly consistent. At most `limit` events, fewer when they would pass `limits.PAGE_BYTES`.
        """

    @abstractmethod
    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        """Events behind the offset `after` (from the start if None) in global order.

        Reading on from `next` yields every event once, within the pattern's guarantee sheet. Within an aggregate,
        offsets rise with versions. At most `limit` events, fewer when they would pass `limits.PAGE_BYTES`.

        Raises:
            InvalidRequest: `after` is not an offset of this store.
        """


class StoreModule(Protocol):
    """The seam: what `patterns/<name>/store.py` offers to the handlers, and to the suite."""

    def from_environment(self, environ: Mapping[str, str], /) -> EventStore:
        """The store that a Lambda's environment variables describe. Calls no AWS service."""


def _canonical(value: Any) -> Any:
    """1.0 and 1 are one JSON value, and so are -0.0 and 0."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_INTEGER:
        return int(value)
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return value

"""A history's calls by request, by event, by aggregate and by reader: what the checker looks things up in."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple

from compare.history.record import Call, Event


class Key(NamedTuple):
    aggregate: str
    version: int

    @classmethod
    def of(cls, event: Event) -> "Key":
        return cls(event["aggregateId"], event["aggregateVersion"])

    def __str__(self) -> str:
        return f"{self.aggregate} version {self.version}"


@dataclass
class Request:
    """What a client asked to store: one request, however often it was sent."""

    events: list[Event]
    began: float = inf
    acknowledged: float = inf
    """When the first answer arrived that said it is stored."""
    acknowledged_by: int = -1
    refused: int = 0
    sent: int = 0


@dataclass
class Sighting:
    """A client saw an event; `call` is its place in the history. A writer's answer is none before its end."""

    call: int
    ended: float
    event: Event
    strong: bool
    requests: list[Request]
    """Those that ask for exactly this event."""


@dataclass
class Chain:
    """Pages of the log that a client read one after another, each from where the last one ended."""

    client: str
    after: str | None
    pages: list[tuple[int, Call]] = field(default_factory=list)

    @property
    def began(self) -> float:
        return self.pages[0][1].began

    @property
    def whole(self) -> bool:
        """Read from the start to an end."""
        return self.after is None and any(not call.told["hasMore"] for _, call in self.pages)

    def events(self) -> Iterator[tuple[int, Call, Event]]:
        return ((number, call, event) for number, call in self.pages for event in call.events)


class Index:
    def __init__(self, history: Sequence[Call]) -> None:
        self.history = history
        self.requests: dict[Any, Request] = {}
        self.request_of: dict[int, Request] = {}
        self.asked: dict[Key, list[Request]] = defaultdict(list)
        self.asked_of: dict[str, dict[Key, None]] = defaultdict(dict)
        """The events of each aggregate that somebody asked to store, in order."""
        self.sightings: dict[Key, list[Sighting]] = defaultdict(list)
        self.reads: dict[str, list[tuple[int, Call]]] = defaultdict(list)
        self.chains: list[Chain] = []
        for number, call in enumerate(history):
            # One that is malformed was refused before it could have any effect.
            if call.operation == "store_events" and call.told.get("error", {}).get("code") != "InvalidRequest":
                self._add_request(number, call)
        for number, call in enumerate(history):
            if not call.failed and not call.refused:
                self._add_sightings(number, call)

    def _add_request(self, number: int, call: Call) -> None:
        events = call.request["events"]
        identity = (call.request.get("requestId") or f"call {number}", repr(events))
        if identity not in self.requests:
            self.requests[identity] = Request(events)
            for key in map(Key.of, events):
                self.asked[key].append(self.requests[identity])
                self.asked_of[key.aggregate][key] = None
        request = self.request_of[number] = self.requests[identity]
        request.sent += 1
        request.began = min(request.began, call.began)
        if call.refused:
            request.refused += 1
        elif not call.failed and call.ended < request.acknowledged:
            request.acknowledged, request.acknowledged_by = call.ended, number

    def _add_sightings(self, number: int, call: Call) -> None:
        for event in call.events:
            key, given = Key.of(event), bare(event)
            requests = [each for each in self.asked.get(key, ()) if any(given == bare(asked) for asked in each.events)]
            strong = call.operation == "get_aggregate_events"
            self.sightings[key].append(Sighting(number, call.ended, event, strong, requests))
        if call.operation == "get_aggregate_events":
            self.reads[call.request["aggregateId"]].append((number, call))
        elif call.operation == "get_all_events":
            self._chain(call).pages.append((number, call))

    def _chain(self, call: Call) -> Chain:
        after = call.request.get("after")
        latest = next((chain for chain in reversed(self.chains) if chain.client == call.client), None)
        if latest and after is not None and latest.pages[-1][1].told["next"] == after:
            return latest
        self.chains.append(Chain(call.client, after))
        return self.chains[-1]

    def last_reading(self, key: Key) -> tuple[int, Call] | None:
        """The last reading of an aggregate that would show this event."""
        covering = [(number, call) for number, call in self.reads[key.aggregate] if covers(call, key.version)]
        return max(covering, key=lambda reading: reading[1].began, default=None)

    def acknowledged(self, key: Key) -> float:
        return min((request.acknowledged for request in self.asked.get(key, ())), default=inf)

    def seen(self, key: Key, *, strong: bool | None = None, by: Request | None = None) -> list[float]:
        """When the event was seen: in an aggregate if `strong`, in the log if not; `by`, as what only that asks for."""
        return [
            each.ended
            for each in self.sightings.get(key, ())
            if strong in (None, each.strong) and (by is None or each.requests == [by])
        ]

    def stored_since(self, key: Key) -> float:
        """When the event was certainly stored: its writer had been told, or a strong reading had shown it."""
        return min([self.acknowledged(key), *self.seen(key, strong=True)])

    def effective_since(self, request: Request, *, strong: bool | None = None) -> float:
        """When it was certain that the request took effect: acknowledged, or an event seen that only it gave."""
        seen = (at for event in request.events for at in self.seen(Key.of(event), strong=strong, by=request))
        return min([request.acknowledged, *seen])


def covers(call: Call, version: int) -> bool:
    following = call.told["nextVersion"]
    return version >= call.request.get("fromVersion", 1) and (following is None or version < following)


def versions_of(call: Call) -> list[int]:
    return [event["aggregateVersion"] for event in call.events]


def bare(event: Event) -> Event:
    """The event as its writer gave it, without what the store assigns."""
    return {name: value for name, value in event.items() if name not in ("eventId", "offset")}

"""The facts of a history: its calls by request, by event, by aggregate and by reader. They judge nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from compare.history import Call

Key = tuple[str, int]
Event = dict[str, Any]


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

    @property
    def only_refused(self) -> bool:
        return self.refused == self.sent


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
        return self.after is None and any(not page["hasMore"] for page in self._answers())

    def events(self) -> Iterator[tuple[int, Call, Event]]:
        for number, call in self.pages:
            for event in (call.answer or {})["events"]:
                yield number, call, event

    def next(self) -> str | None:
        answer = self.pages[-1][1].answer or {}
        following: str | None = answer["next"]
        return following

    def _answers(self) -> Iterator[dict[str, Any]]:
        return (call.answer or {} for _, call in self.pages)


class Facts:
    """The history by request, by event, by aggregate and by reader."""

    def __init__(self, history: Sequence[Call]) -> None:
        self.history = history
        self.requests: dict[Any, Request] = {}
        self.request_of: dict[int, Request] = {}
        self.asked: dict[Key, list[Request]] = {}
        self.asked_of: dict[str, list[Key]] = defaultdict(list)
        """The events of each aggregate that somebody asked to store."""
        self.sightings: dict[Key, list[Sighting]] = defaultdict(list)
        self.reads: dict[str, list[tuple[int, Call]]] = defaultdict(list)
        self.chains: list[Chain] = []
        for number, call in enumerate(history):
            if call.operation == "store_events" and not malformed(call):
                self._add_request(number, call)
        for number, call in enumerate(history):
            if not call.failed and not call.refused:
                self._add_sightings(number, call)

    def _add_request(self, number: int, call: Call) -> None:
        events = call.request["events"]
        identity = (call.request.get("requestId") or f"call {number}", repr(events))
        if identity not in self.requests:
            request = self.requests[identity] = Request(events)
            for event in events:
                if key_of(event) not in self.asked:
                    self.asked[key_of(event)] = []
                    self.asked_of[event["aggregateId"]].append(key_of(event))
                self.asked[key_of(event)].append(request)
        request = self.request_of[number] = self.requests[identity]
        request.sent += 1
        request.began = min(request.began, call.began)
        if call.refused:
            request.refused += 1
        elif not call.failed and call.ended < request.acknowledged:
            request.acknowledged, request.acknowledged_by = call.ended, number

    def last_reading(self, key: Key) -> tuple[int, Call] | None:
        """The last reading of an aggregate that would show this event."""
        covering = [(number, call) for number, call in self.reads[key[0]] if covers(call, key[1])]
        return max(covering, key=lambda reading: reading[1].began, default=None)

    def _add_sightings(self, number: int, call: Call) -> None:
        for event in (call.answer or {})["events"]:
            requests = [
                request
                for request in self.asked.get(key_of(event), ())
                if any(bare(event) == bare(asked_for) for asked_for in request.events)
            ]
            strong = call.operation == "get_aggregate_events"
            self.sightings[key_of(event)].append(Sighting(number, call.ended, event, strong, requests))
        if call.operation == "get_aggregate_events":
            self.reads[call.request["aggregateId"]].append((number, call))
        elif call.operation == "get_all_events":
            self._chain(call).pages.append((number, call))

    def _chain(self, call: Call) -> Chain:
        after = call.request.get("after")
        for chain in reversed(self.chains):
            if chain.client == call.client:
                if after is not None and chain.next() == after:
                    return chain
                break
        self.chains.append(Chain(call.client, after))
        return self.chains[-1]


def malformed(call: Call) -> bool:
    """Refused for its form, before it could have any effect."""
    return call.refused and (call.answer or {})["error"]["code"] == "InvalidRequest"


def covers(call: Call, version: int) -> bool:
    following = (call.answer or {})["nextVersion"]
    return version >= call.request.get("fromVersion", 1) and (following is None or version < following)


def versions_of(call: Call) -> list[int]:
    return [event["aggregateVersion"] for event in (call.answer or {})["events"]]


def key_of(event: Event) -> Key:
    return event["aggregateId"], event["aggregateVersion"]


def bare(event: Event) -> Event:
    """The event as its writer gave it, without what the store assigns."""
    return {name: value for name, value in event.items() if name not in ("eventId", "offset")}

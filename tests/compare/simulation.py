"""Clients of one store in virtual time: calls overlap, are refused, are repeated, fail before or after their effect.

An operation takes effect at one instant between its request and its answer, or after the client has given up on it. So
what is recorded of a correct store is a correct history. Choices come from a `Random`: seeded, or Hypothesis's own.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from compare.history.record import Answer, Call

Json = dict[str, Any]
FAR = 1e6


@dataclass
class Simulation:
    """Runs `clients` for some `steps` each on the store that `answer` speaks for; then an auditor reads everything."""

    answer: Answer
    random: Random
    clients: int = 3
    aggregates: int = 3
    steps: int = 12
    failures: bool = True
    rest: Callable[[], None] = lambda: None
    """Lets what the store does by itself come to an end, before the auditor reads."""
    calls: list[Call] = field(default_factory=list)

    def run(self) -> list[Call]:
        self._order = count()
        self._effects: list[tuple[float, int, Any]] = []
        for number in range(self.clients):
            self._begin(_Client(f"client {number}", self.steps), 0.0)
        while self._effects:
            _, _, effect = heapq.heappop(self._effects)
            effect()
        self.rest()
        self._audit()
        return self.calls

    def _begin(self, client: _Client, now: float) -> None:
        if not client.steps:
            return
        client.steps -= 1
        began = now + self._delay()
        operation, request = client.repeat or self._request(client)
        client.repeat = None
        effect_at = began + self._delay()
        fate = self.random.choice(["fine"] * 5 + ["request lost", "answer lost", "given up"] * self.failures)
        ended = effect_at + self._delay()
        if fate == "given up":
            ended = began + (effect_at - began) / 2

        def effect() -> None:
            answer = None if fate == "request lost" else self._call(operation, request)
            if fate == "fine":
                self.calls.append(Call(client.name, operation, request, began, ended, answer))
                client.learn(operation, request, answer)
                self._begin(client, ended)

        heapq.heappush(self._effects, (effect_at, next(self._order), effect))
        if fate != "fine":

            def fail() -> None:
                self.calls.append(Call(client.name, operation, request, began, ended, None))
                if operation == "store_events" and self.random.random() < 0.7:
                    client.repeat = (operation, request)
                self._begin(client, ended)

            heapq.heappush(self._effects, (ended, next(self._order), fail))

    def _call(self, operation: Any, request: Json) -> Json | None:
        try:
            return self.answer(operation, request)
        except OSError:
            return None

    def _request(self, client: _Client) -> tuple[Any, Json]:
        kind = self.random.choice(["store", "store", "read", "tail", "scan"])
        if kind == "store":
            return "store_events", self._append(client)
        if kind == "read":
            first, limit = self.random.randint(1, 3), self.random.choice([1, 2, 100])
            return "get_aggregate_events", {"aggregateId": self._aggregate(), "fromVersion": first, "limit": limit}
        if kind == "scan":
            client.next = None
        request = {"limit": self.random.choice([1, 3, 100])}
        return "get_all_events", request if client.next is None else {**request, "after": client.next}

    def _append(self, client: _Client) -> Json:
        if client.last_stored and self.random.random() < 0.1:
            return client.last_stored
        versions = dict(client.versions)
        events = []
        for index in range(self.random.choice([1, 1, 2, 3])):
            aggregate = self._aggregate()
            versions[aggregate] = versions.get(aggregate, 0) + 1
            metadata = {"by": client.name, "request": client.requests, "event": index}
            events.append(_event(aggregate, versions[aggregate], metadata))
        client.requests += 1
        request: Json = {"events": events}
        if self.random.random() < 0.7:
            request["requestId"] = f"{client.name} {client.requests}"
        return request

    def _audit(self) -> None:
        now = FAR
        for number in range(self.aggregates):
            request = {"aggregateId": f"aggregate {number}", "limit": 1000}
            answer = self._call("get_aggregate_events", request)
            self.calls.append(Call("auditor", "get_aggregate_events", request, now, now + 1, answer))
            now += 2
        after, more = None, True
        while more:
            request = {"limit": 1000} if after is None else {"after": after, "limit": 1000}
            answer = self.answer("get_all_events", request)
            self.calls.append(Call("auditor", "get_all_events", request, now, now + 1, answer))
            after, more, now = answer["next"], answer["hasMore"], now + 2

    def _aggregate(self) -> str:
        return f"aggregate {self.random.randrange(self.aggregates)}"

    def _delay(self) -> float:
        return self.random.uniform(0.001, 1.0)


@dataclass
class _Client:
    """What one client knows. `repeat` is a failed request that it will send again."""

    name: str
    steps: int
    requests: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    next: str | None = None
    repeat: tuple[Any, Json] | None = None
    last_stored: Json | None = None

    def learn(self, operation: str, request: Json, answer: Json | None) -> None:
        if answer is None:
            return
        if error := answer.get("error"):
            self.versions[error["aggregateId"]] = error["currentVersion"]
            return
        if operation == "get_all_events":
            self.next = answer["next"]
        elif operation == "store_events" and "requestId" in request:
            self.last_stored = request
        for event in answer["events"]:
            newest = max(event["aggregateVersion"], self.versions.get(event["aggregateId"], 0))
            self.versions[event["aggregateId"]] = newest


def _event(aggregate: str, version: int, metadata: Json) -> Json:
    return {
        "aggregateId": aggregate,
        "aggregateVersion": version,
        "eventType": "HAPPENED",
        "eventVersion": 1,
        "metadata": metadata,
    }

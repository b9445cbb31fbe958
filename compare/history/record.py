"""A history: what each client asked of a store, what it was told, and when. Nothing else is known about the store.

All times are seconds of one clock, so that "began after that had ended" can be believed between any two calls. A call
that raised has no answer: whether it took effect, or still will, is not known.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lambdas.eventstore.wire import Operation

Answer = Callable[[Operation, Any], dict[str, Any]]
"""A store as the wire shows it: JSON request in, JSON answer out; an infrastructure failure is an exception."""

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    client: str
    operation: Operation
    request: dict[str, Any]
    began: float
    ended: float
    answer: dict[str, Any] | None

    @property
    def failed(self) -> bool:
        return self.answer is None

    @property
    def refused(self) -> bool:
        return "error" in self.told

    @property
    def told(self) -> dict[str, Any]:
        """The answer; nothing if the call raised."""
        return self.answer or {}

    @property
    def events(self) -> list[Event]:
        """Those that were answered with."""
        return list(self.told.get("events", ()))


class Recorder:
    """Records the calls of several clients, which may be threads, of one store."""

    def __init__(self, answer: Answer, clock: Callable[[], float] = time.monotonic) -> None:
        self._answer = answer
        self._clock = clock
        self._lock = threading.Lock()
        self.calls: list[Call] = []

    def client(self, name: str) -> Answer:
        """The store as client `name` sees it. Exceptions pass through, having been recorded."""

        def call(operation: Operation, request: Any) -> dict[str, Any]:
            began, answer = self._clock(), None
            try:
                answer = self._answer(operation, request)
                return answer
            finally:
                with self._lock:
                    self.calls.append(Call(name, operation, request, began, self._clock(), answer))

        return call


def save(history: Iterable[Call], path: Path) -> None:
    """One call a line, as JSON."""
    path.write_text("".join(json.dumps(asdict(call)) + "\n" for call in history), encoding="utf-8")


def load(path: Path) -> list[Call]:
    return [Call(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]

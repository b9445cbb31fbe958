"""What is stored is what is in the log: its last page's events may not be in their table yet."""

from __future__ import annotations

import json
import zlib
from typing import Any

from testkit import harness
from testkit.examples import Event
from testkit.harness import Environment


class Harness(harness.Harness):
    def stored(self, environment: Environment) -> list[Event]:
        items = self.items(environment["LOG_TABLE"])
        bodies = {
            (item["part"], int(item["firstPosition"])): bytes(item["content"]) for item in items if "content" in item
        }
        return [_bare(event) for page in items if page["part"] == "pages" for event in _events(page, bodies)]


def _events(page: dict[str, Any], bodies: dict[tuple[str, int], bytes]) -> list[Event]:
    events: list[Event] = json.loads(zlib.decompress(bytes(page["page"])))
    if name := page.get("body"):
        parts = sorted(part for part in bodies if part[0] == f"body#{name}")
        payloads = json.loads(zlib.decompress(b"".join(bodies[part] for part in parts)))
        # Those of the first request in the page; the others have theirs in it.
        events[: len(payloads)] = [
            {**event, "metadata": payload} for event, payload in zip(events, payloads, strict=False)
        ]
    return events


def _bare(event: Event) -> Event:
    names = ("aggregateId", "aggregateVersion", "eventId", "eventType", "eventVersion", "metadata")
    return {name: event[name] for name in names}

"""Pages under the limits of the Data API, 64 KB a row and 1 MiB a result, which the local one keeps to."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from lambdas.eventstore.limits import EVENT_BYTES, REQUEST_BYTES
from testkit.examples import Event, bare, event, new_id
from testkit.large import large_event, size
from testkit.schedules import Scene
from testkit.subjects import InProcess

from .. import store

LIMIT = 1024 * 1024


def dense(text: str) -> Callable[[str, int], Event]:
    """An event of the greatest size that is full of this piece of JSON."""

    def make(aggregate: str, version: int) -> Event:
        piece = json.loads(text)
        room = EVENT_BYTES - size(event(aggregate, version, a=[]))
        return event(aggregate, version, a=[piece] * (room // (size(piece) + 1)))

    return make


SHAPES = {
    "plain text": large_event,
    "one digit": dense("1"),
    "small numbers": dense("1e-130"),
    "large numbers": dense("9.9e125"),
    "accents": dense('"éé"'),
    "emoji": dense('"😀"'),
    "control characters": dense('"\\u0001"'),
    "quotes": dense('"\\"\\\\"'),
    "objects": dense('{"a":1}'),
    "empty arrays": dense("[]"),
}


def store_all(subject: InProcess, events: list[Event]) -> None:
    """In as few requests as may be."""
    request: list[Event] = []
    for each in [*events, None]:
        if request and (each is None or len(request) == 40 or size([*request, each]) > REQUEST_BYTES - 100):
            subject.store(*request)
            request = []
        if each:
            request.append(each)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_events_come_back_as_they_were(scene: Scene, shape: str) -> None:
    subject, aggregate = scene.open(), new_id()
    events = [SHAPES[shape](aggregate, version) for version in range(1, 31)]
    assert size(events[0]) > EVENT_BYTES - 20

    store_all(subject, events)

    assert bare(subject.aggregate(aggregate)) == events
    assert bare(scene.log()) == events


def test_a_request_of_forty_large_events_in_text_that_json_escapes_is_stored(scene: Scene) -> None:
    """What the Data API takes is 4 MB: a request of 1 MiB grows to 3 MiB on its way."""
    events = [event(new_id(), 1, text="é" * 12_900) for _ in range(40)]
    assert REQUEST_BYTES - 20_000 < size({"events": events}) <= REQUEST_BYTES

    assert bare(scene.open().store(*events)) == events


@pytest.mark.parametrize("seed", range(3))
def test_a_page_is_cut_just_before_the_limit_whatever_the_sizes(scene: Scene, seed: int) -> None:
    subject, choose, aggregate = scene.open(), random.Random(seed), new_id()
    sizes = [choose.choice([300, 2_000, 20_000, EVENT_BYTES]) for _ in range(150)]
    events = [large_event(aggregate, version, bytes_) for version, bytes_ in enumerate(sizes, start=1)]
    store_all(subject, events)

    page = subject.page(None, 1000)
    assert page["hasMore"]
    shown = len(page["events"])
    taken = sum(result_bytes(event) for event in events[:shown])
    assert taken <= LIMIT
    assert taken + result_bytes(events[shown]) > 0.93 * LIMIT
    assert bare(scene.log()) == bare(subject.aggregate(aggregate)) == events


def test_a_page_of_a_thousand_small_events_is_one_page(scene: Scene) -> None:
    subject = scene.open()
    store_all(subject, [event(f"aggregate-{n}", 1, amount=n) for n in range(1001)])
    scene.harness.drain(scene.environment)

    page = subject.page(None, 1000)

    assert (len(page["events"]), page["hasMore"]) == (1000, True)


def test_what_a_row_adds_is_allowed_for(scene: Scene) -> None:
    """The longest ids, types and numbers there are, a thousand times."""
    subject, character = scene.open(), "\U0001f600"
    aggregate = "a" + character * 127
    longest = {"aggregateId": aggregate, "eventType": character * 128, "eventVersion": 2**53 - 1}
    store_all(subject, [{**event(aggregate, version), **longest} for version in range(1, 1002)])
    scene.harness.drain(scene.environment)

    page = subject.page(None, 1000)

    assert sum(map(result_bytes, page["events"])) <= LIMIT
    assert len(page["events"]) == min(1000, store._RESULT_BYTES // (200 + 2 + 509 + 512))


def result_bytes(event: dict[str, Any]) -> int:
    """What an event takes of a result, at the most: the text of its values, 4 bytes a value more, and 2 a row."""
    texts = [json.dumps(event["metadata"], ensure_ascii=False, separators=(",", ":"))]
    texts += [event["aggregateId"], event["eventType"], str(event["eventVersion"]), str(event["aggregateVersion"])]
    texts += ["9" * 37, "1000", "k" * 27]
    return 2 + sum(4 + len(text.encode()) for text in texts)

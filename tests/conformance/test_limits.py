"""At the very edge of each limit every pattern's service keeps what is sent; one step on, it is refused."""

from typing import Any

import pytest

from lambdas.eventstore.limits import EVENT_BYTES, METADATA_DEPTH, REQUEST_BYTES
from testkit.examples import Event, bare, event, new_id
from testkit.large import large_event, size
from testkit.subjects import Subject


def request_of(bytes_of_json: int) -> list[Event]:
    """Forty events that make a request of exactly so many bytes."""
    share = bytes_of_json // 40
    events = [large_event(new_id(), 1, share) for _ in range(40)]
    missing = bytes_of_json - size({"events": events})
    events[0] = large_event(events[0]["aggregateId"], 1, share + missing)
    return events


def nested(depth: int, leaf: Any = None) -> dict[str, Any]:
    """Metadata of that many nested containers, objects and arrays in turn."""
    value: Any = leaf
    for level in range(depth, 1, -1):
        value = {"d": value} if level % 2 else [value]
    return {"d": value}


# Each row: what, the events at the edge, the events one step past it, and the path that the refusal names.
EDGES: list[Any] = [
    pytest.param(
        lambda: [large_event(new_id(), 1)],
        lambda: [large_event(new_id(), 1, EVENT_BYTES + 1)],
        "/events/0",
        id="event size",
    ),
    pytest.param(
        lambda: request_of(REQUEST_BYTES), lambda: request_of(REQUEST_BYTES + 1), "/events", id="request size"
    ),
    pytest.param(
        lambda: [event(new_id(), 1) for _ in range(40)],
        lambda: [event(new_id(), 1) for _ in range(41)],
        "/events",
        id="events in a request",
    ),
    pytest.param(
        lambda: [event(new_id() + "i" * 92, 1)],
        lambda: [event(new_id() + "i" * 93, 1)],
        "/events/0/aggregateId",
        id="length of an id",
    ),
    pytest.param(
        lambda: [event(new_id() + "\U0001f600" * 92, 1)],
        lambda: [event(new_id() + "\U0001f600" * 93, 1)],
        "/events/0/aggregateId",
        id="length of an id beyond the basic plane",
    ),
    pytest.param(
        lambda: [{**event(new_id(), 1), "eventType": "日" * 128}],
        lambda: [{**event(new_id(), 1), "eventType": "日" * 129}],
        "/events/0/eventType",
        id="length of a type",
    ),
    pytest.param(
        lambda: [{**event(new_id(), 1), "eventVersion": 2**53 - 1}],
        lambda: [{**event(new_id(), 1), "eventVersion": 2**53}],
        "/events/0/eventVersion",
        id="event version",
    ),
    pytest.param(
        lambda: [{**event(new_id(), 1), "metadata": nested(METADATA_DEPTH)}],
        lambda: [{**event(new_id(), 1), "metadata": nested(METADATA_DEPTH + 1)}],
        "/events/0/metadata" + "/d/0" * (METADATA_DEPTH // 2),
        id="nesting",
    ),
    *(
        pytest.param(
            lambda edge=edge: [event(new_id(), 1, n=edge)],
            lambda past=past: [event(new_id(), 1, n=past)],
            "/events/0/metadata/n",
            id=f"number {edge!r}",
        )
        for edge, past in [
            (2**53 - 1, 2**53),
            (1 - 2**53, -(2**53)),
            (9.9e125, 1e126),
            (-9.9e125, -1e126),
            (1e-130, 9.9e-131),
            (-1e-130, -9.9e-131),
        ]
    ),
]


@pytest.mark.parametrize(("at", "past", "path"), EDGES)
def test_events_at_a_limit_are_stored(store: Subject, at: Any, past: Any, path: str) -> None:
    events = at()
    store.store(*events)

    assert bare([store.aggregate(events[0]["aggregateId"])[0], store.aggregate(events[-1]["aggregateId"])[0]]) == [
        events[0],
        events[-1],
    ]


@pytest.mark.parametrize(("at", "past", "path"), EDGES)
def test_events_past_a_limit_are_refused(store: Subject, at: Any, past: Any, path: str) -> None:
    answer = store.try_to_store(*past())

    assert answer["error"]["code"] == "InvalidRequest"
    assert answer["error"]["path"] == path


def test_a_request_id_of_128_characters_is_recognised(store: Subject) -> None:
    aggregate = new_id()
    stored = store.store(event(aggregate, 1), request_id="ü" * 128)

    assert store.store(event(aggregate, 1), request_id="ü" * 128)[0]["eventId"] == stored[0]["eventId"]


def test_a_refused_request_stores_none_of_its_events(store: Subject) -> None:
    aggregate = new_id()
    answer = store.try_to_store(event(aggregate, 1), event(aggregate, 2, n=2**53))

    assert answer["error"]["path"] == "/events/1/metadata/n"
    assert store.aggregate(aggregate) == []

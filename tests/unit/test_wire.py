"""The wire answers every request, however hostile: with a response or with an error a person can act on."""

from __future__ import annotations

import json
import math
from collections import Counter
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambdas.eventstore import wire
from lambdas.eventstore.limits import EVENT_BYTES, REQUEST_BYTES
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.eventstore.wire import OPERATIONS, Operation
from testkit.examples import event
from testkit.large import large_event, size
from testkit.subjects import check

TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["", "\ud800", "a\udfffb", "\0", "~", "/", "a" * 129, "__proto__"]
)
"""Lone surrogates and all: JSON's \\ud800 brings them in."""

NUMBERS = (
    st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.sampled_from([0, 1, -1, 2**53, 2**64, 10**400, -(10**400), 1e308, 5e-324, 1.0, 1.5, True, math.nan, math.inf])
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=15,
)
FIELDS = (
    "events",
    "requestId",
    "aggregateId",
    "aggregateVersion",
    "eventType",
    "eventVersion",
    "metadata",
    "limit",
    "after",
    "fromVersion",
)
ALMOST: st.SearchStrategy[Any] = st.dictionaries(st.sampled_from(FIELDS) | TEXT, ANYTHING, max_size=6)

VALID: dict[Operation, dict[str, Any]] = {
    "store_events": {"events": [event("a", 1, n=1, deep={"list": [1, "x", None]}), event("b", 1)], "requestId": "r"},
    "get_aggregate_events": {"aggregateId": "a", "fromVersion": 1, "limit": 10},
    "get_all_events": {"after": "1", "limit": 10},
}


@st.composite
def mutated(draw: st.DrawFn) -> tuple[Operation, Any]:
    """A valid request in which a few values are replaced, removed, added or doubled."""
    operation = draw(st.sampled_from(OPERATIONS))
    request = json.loads(json.dumps(VALID[operation]))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(request))
        container, key = draw(st.sampled_from(places)) if places else (request, "events")
        match draw(st.sampled_from(["replace", "remove", "add", "double"])):
            case "replace":
                container[key] = draw(ANYTHING)
            case "remove" if isinstance(container, dict):
                container.pop(key, None)
            case "add" if isinstance(container, dict):
                container[draw(TEXT)] = draw(ANYTHING)
            case _ if isinstance(container, list):
                container.extend(json.loads(json.dumps(container[:1])) * draw(st.sampled_from([1, 50])))
    return operation, request


def _places(value: Any) -> Any:
    if isinstance(value, dict):
        for name in value:
            yield value, name
            yield from _places(value[name])
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value, index
            yield from _places(value[index])


def answered(operation: Operation, request: Any) -> dict[str, Any]:
    """The answer of a memory store, which must be one that the schema allows and that UTF-8 JSON can carry."""
    answer = wire.answer(MemoryEventStore(), operation, request)
    encoded = json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()
    check(operation, json.loads(encoded))
    return answer


FUZZ = settings(max_examples=200, deadline=None, derandomize=True)


@FUZZ
@given(st.sampled_from(OPERATIONS), ANYTHING | ALMOST)
@example("store_events", None)
@example("get_all_events", [])
@example("get_all_events", {"\ud800": 1})
@example("store_events", {"events": [{"\ud800": 1}]})
def test_any_json_gets_an_answer(operation: Operation, request: Any) -> None:
    answered(operation, request)


@FUZZ
@given(mutated())
def test_any_mutation_of_a_valid_request_gets_an_answer(case: tuple[Operation, Any]) -> None:
    answered(*case)


@FUZZ
@given(st.dictionaries(TEXT, ANYTHING, max_size=4))
def test_any_metadata_gets_an_answer(metadata: dict[str, Any]) -> None:
    answered("store_events", {"events": [{**event("a", 1), "metadata": metadata}]})


HOSTILE: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.0, 1.5, 41, 1001, 2**53, 10**400, 1e308, 5e-324, math.nan, math.inf, -math.inf),
    *("", "a", "\ud800", "a\udfffb", "\0", "\n", "~/", "a" * 129, "x" * 50_000, [], {}, [[]], [None], {"": 1}),
    *({"\ud800": 1}, {"a": math.nan}, {"a": [2**53]}, [event("a", 1)] * 41, [event("a", 1), None], event("b", 1)),
]


@pytest.mark.parametrize("seed", range(4))
def test_thousands_of_hostile_mutations_get_an_answer(seed: int) -> None:
    random = Random(seed)
    outcomes: Counter[str] = Counter()
    for _ in range(1000):
        operation = random.choice(OPERATIONS)
        request = json.loads(json.dumps(VALID[operation]))
        for _ in range(random.randint(1, 3)):
            container, key = random.choice([*_places(request), (request, "limit")])
            match random.randrange(4):
                case 0 if isinstance(container, dict):
                    container.pop(key, None)
                case 1 if isinstance(container, dict):
                    container[random.choice(["", "x", "\ud800", "a/b~c", "requestId", "metadata"])] = deepcopy(
                        random.choice(HOSTILE)
                    )
                case _:
                    container[key] = deepcopy(random.choice(HOSTILE))
        answer = answered(operation, request)
        outcomes[answer["error"]["code"] if "error" in answer else "success"] += 1

    assert outcomes.keys() >= {"InvalidRequest", "success"}, "both ends were reached"


def test_metadata_nested_deeper_than_python_can_recurse_is_refused() -> None:
    metadata: dict[str, Any] = {}
    for _ in range(5000):
        metadata = {"d": metadata}

    answer = answered("store_events", {"events": [{**event("a", 1), "metadata": metadata}]})

    assert answer["error"]["code"] == "InvalidRequest"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_valid_request_gets_a_response(operation: Operation) -> None:
    assert "error" not in answered(operation, VALID[operation])


STORE: dict[str, Any] = {"events": [event("a", 1)]}
FAULTY: list[Any] = [
    ("store_events", None, "", "object"),
    ("store_events", {}, "/events", "missing"),
    ("store_events", {"events": []}, "/events", "1 to 40"),
    ("store_events", {"events": [event("a", 1)] * 41}, "/events", "1 to 40"),
    ("store_events", {"events": {}}, "/events", "array"),
    ("store_events", {**STORE, "extra": 1}, "/extra", "requestId"),
    ("store_events", {**STORE, "a/b~": 1}, "/a~1b~0", "remove"),
    ("store_events", {**STORE, "requestId": None}, "/requestId", "string"),
    ("store_events", {**STORE, "requestId": ""}, "/requestId", "1 to 128"),
    ("store_events", {**STORE, "requestId": "a\n"}, "/requestId", "printable"),
    ("store_events", {"events": [{**event("a", 1), "aggregateVersion": 0}]}, "/events/0/aggregateVersion", "from 1"),
    (
        "store_events",
        {"events": [{**event("a", 1), "aggregateVersion": True}]},
        "/events/0/aggregateVersion",
        "integer",
    ),
    ("store_events", {"events": [{**event("a", 1), "aggregateVersion": 1.5}]}, "/events/0/aggregateVersion", "integer"),
    ("store_events", {"events": [{**event("a", 1), "aggregateVersion": "1"}]}, "/events/0/aggregateVersion", "integer"),
    ("store_events", {"events": [{**event("a", 1), "eventId": "x"}]}, "/events/0/eventId", "remove"),
    ("store_events", {"events": [{**event("a", 1), "metadata": []}]}, "/events/0/metadata", "object"),
    ("store_events", {"events": [{**event("\u200b", 1)}]}, "/events/0/aggregateId", "printable"),
    ("store_events", {"events": [event("a", 1), event("b", 3), event("a", 3)]}, "/events/2", "version 3"),
    ("store_events", {"events": [event("a", 1), event("a", 1)]}, "/events/1", "without holes"),
    ("store_events", {"events": [event("a", 2), event("a", 1)]}, "/events/1", "version 2"),
    ("get_aggregate_events", {}, "/aggregateId", "missing"),
    ("get_aggregate_events", {"aggregateId": "a", "fromVersion": None}, "/fromVersion", "integer"),
    ("get_aggregate_events", {"aggregateId": "a", "limit": 0}, "/limit", "1 to 1000"),
    ("get_aggregate_events", {"aggregateId": "a", "limit": 1001}, "/limit", "1 to 1000"),
    ("get_aggregate_events", {"aggregateId": "a", "fromVersion": 0}, "/fromVersion", "from 1"),
    ("get_aggregate_events", {"aggregateId": "a", "after": "1"}, "/after", "remove"),
    ("get_all_events", {"after": ""}, "/after", "offset"),
    ("get_all_events", {"after": "x"}, "/after", "offset"),
    ("get_all_events", {"limit": "10"}, "/limit", "integer"),
]


@pytest.mark.parametrize(("operation", "request_", "path", "says"), FAULTY)
def test_a_refusal_names_the_field_and_what_it_should_be(
    operation: Operation, request_: Any, path: str, says: str
) -> None:
    error = answered(operation, request_)["error"]

    assert (error["code"], error["path"]) == ("InvalidRequest", path)
    assert says in error["message"]


@pytest.mark.parametrize("length", [10, 500, 5_000, 40_000])
def test_the_path_of_a_refusal_leads_to_the_value_however_long_it_is(length: int) -> None:
    request = {"events": [{**event("a", 1), "metadata": {"~" * length: [{"/" * 3: 2**53}]}}]}

    error = answered("store_events", request)["error"]

    assert resolved(request, error["path"]) == 2**53
    assert len(error["message"]) <= 500


@pytest.mark.parametrize(
    "metadata",
    [{"around": {"\ud800": 2**53}}, {"around": {"x" * 5_000_000: 2**53}}, {"around": {"~" * 3_000_000: {"": 1}}}],
)
def test_a_path_that_no_answer_can_carry_leads_to_the_value_around(metadata: dict[str, Any]) -> None:
    request = {"events": [{**event("a", 1), "metadata": metadata}]}

    error = answered("store_events", request)["error"]

    assert error["path"] == "/events/0/metadata/around"
    assert len(json.dumps(error)) < 1_000


def resolved(value: Any, pointer: str) -> Any:
    """The value that a JSON Pointer leads to (RFC 6901, section 4)."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def test_next_of_an_empty_store_can_be_read_on_from() -> None:
    first = answered("get_all_events", {})
    assert first["next"] is None

    assert answered("get_all_events", {"after": first["next"]}) == first


def accepted(operation: Operation, request: Any) -> bool:
    return "error" not in answered(operation, request)


@pytest.mark.parametrize("field", ["aggregateId", "eventType"])
@pytest.mark.parametrize("character", ["a", "é", "日", "\U0001f600"])
def test_identifiers_have_up_to_128_characters(field: str, character: str) -> None:
    for length, fits in ((1, True), (128, True), (129, False)):
        assert accepted("store_events", {"events": [{**event("a", 1), field: character * length}]}) is fits


def test_request_ids_have_up_to_128_characters() -> None:
    assert accepted("store_events", {**STORE, "requestId": "é" * 128})
    assert not accepted("store_events", {**STORE, "requestId": "é" * 129})


def test_whole_numbers_may_be_written_with_a_fraction_of_zero() -> None:
    answer = answered("store_events", {"events": [{**event("a", 1), "aggregateVersion": 1.0}]})

    assert repr(answer["events"][0]["aggregateVersion"]) == "1"


@pytest.mark.parametrize("name", ["aggregateVersion", "eventVersion"])
def test_versions_go_up_to_what_json_keeps_exact(name: str) -> None:
    at = answered("store_events", {"events": [{**event("a", 1), name: 2**53 - 1}]})
    assert at.get("error", {"code": "VersionConflict"})["code"] == "VersionConflict"
    assert not accepted("store_events", {"events": [{**event("a", 1), name: 2**53}]})


@pytest.mark.parametrize("operation", ["get_aggregate_events", "get_all_events"])
def test_limits_go_from_1_to_1000(operation: Operation) -> None:
    request = {"aggregateId": "a"} if operation == "get_aggregate_events" else {}
    for limit, fits in ((0, False), (1, True), (1000, True), (1001, False)):
        assert accepted(operation, {**request, "limit": limit}) is fits


def test_an_event_has_up_to_48_kib_however_it_is_written() -> None:
    for extra, fits in ((0, True), (1, False)):
        assert accepted("store_events", {"events": [large_event("a", 1, EVENT_BYTES + extra)]}) is fits
    wide = event("a", 1, text="日" * ((EVENT_BYTES - size(event("a", 1, text=""))) // 3))
    assert accepted("store_events", {"events": [wide]})
    wide["metadata"]["text"] += "日"
    assert not accepted("store_events", {"events": [wide]})


def test_a_request_has_up_to_1_mib() -> None:
    events = [large_event("a", n, REQUEST_BYTES // 40) for n in range(1, 41)]
    missing = REQUEST_BYTES - size({"events": events})
    for extra, fits in ((0, True), (1, False)):
        first = large_event("a", 1, REQUEST_BYTES // 40 + missing + extra)
        assert accepted("store_events", {"events": [first, *events[1:]]}) is fits


def test_failures_are_raised_and_not_answered() -> None:
    class Broken(MemoryEventStore):
        def get_all_events(self, after: str | None, limit: int) -> Any:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        wire.answer(Broken(), "get_all_events", {})

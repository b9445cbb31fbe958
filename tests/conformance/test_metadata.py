"""`metadata` round-trips exactly as a value."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from testkit.examples import event, new_id
from testkit.strategies import METADATA
from testkit.subjects import Subject

KEPT: list[Any] = [
    pytest.param({}, id="nothing"),
    pytest.param({" ": "", "text": ""}, id="empty text under a blank name"),
    pytest.param({"list": [], "object": {}, "lists": [[], [[]], {}]}, id="empty containers"),
    pytest.param({"null": None, "true": True, "false": False, "list": [None, True, False]}, id="constants"),
    pytest.param({"one": 1, "true": True, "text": "1"}, id="lookalikes"),
    pytest.param({"n": [0.1, 0.1 + 0.2, 1e-7, 1 / 3, 1e21, 1e22, 123456789.12345679]}, id="fractions"),
    pytest.param({"n": [0, -0.0, 0.0, 1.0, -1, 2**53 - 1, 1 - 2**53, 4503599627370497.5]}, id="whole numbers"),
    pytest.param({"n": [9.9e125, -9.9e125, 1e-130, -1e-130, 1.7976931348623157e100]}, id="magnitudes"),
    pytest.param(
        {"t": ["Åsa", "日本語", "\U0001f600\U0001f468\u200d\U0001f469", "e\u0301", "\ufeff\u2028\uffff"]}, id="Unicode"
    ),
    pytest.param({"t": ["\u0001\u001f\u007f\u0080", "\t\r\n", '"\\/', "\ud7ff\ue000"]}, id="controls"),
    pytest.param(
        {"日": 1, "a.b": 2, "a/b~c": 3, "$ref": 4, "#": 5, ":x": 6, "'\"\\": 7, "\n": 8, "S": {"N": "1"}}, id="names"
    ),
    pytest.param(
        {"aggregateId": "x", "eventId": "y", "offset": "z", "TYPE": "EVENT", "requestId": 1}, id="names of the store"
    ),
    pytest.param(
        {"date": "2026-11-23T00:00:00Z", "number": "1e5", "base64": "AAEC", "null": "null"},
        id="text that looks like more",
    ),
    pytest.param({"k" * 1000: "v" * 10_000, "many": list(range(2000))}, id="long ones"),
]


@pytest.mark.parametrize("metadata", KEPT)
def test_metadata_comes_back_as_the_same_value(store: Subject, metadata: dict[str, Any]) -> None:
    aggregate, after = new_id(), store.log_end()
    stored = store.store({**event(aggregate, 1), "metadata": metadata})

    for read in (stored, store.aggregate(aggregate), store.log_of(aggregate, count=1, after=after)):
        assert typed(read[0]["metadata"]) == typed(metadata)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(metadata=METADATA)
def test_any_metadata_comes_back_as_the_same_value(fresh: Subject, metadata: dict[str, Any]) -> None:
    aggregate = new_id()
    fresh.store({**event(aggregate, 1), "metadata": metadata}, request_id=aggregate)

    assert typed(fresh.aggregate(aggregate)[0]["metadata"]) == typed(metadata)
    assert typed(
        fresh.store({**event(aggregate, 1), "metadata": metadata}, request_id=aggregate)[0]["metadata"]
    ) == typed(metadata)


def typed(value: Any) -> Any:
    """The value with what Python's == passes over: true is not 1. That 1.0 is 1 in JSON stays."""
    if isinstance(value, dict):
        return {name: typed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return (isinstance(value, bool), value)


def test_the_comparison_here_tells_true_from_1() -> None:
    assert typed(json.loads("[1, 1.0]")) == typed([1.0, 1])
    assert typed([True]) != typed([1])

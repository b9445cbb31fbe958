"""What metadata may hold, and which value is named when it may not."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.eventstore import ijson
from lambdas.eventstore.errors import InvalidRequest
from testkit.strategies import METADATA

SURROGATE = "\ud800"


@given(METADATA)
def test_i_json_is_accepted(metadata: dict[str, Any]) -> None:
    ijson.check(metadata, "")


def nested(depth: int, leaf: Any) -> Any:
    for _ in range(depth):
        leaf = {"d": leaf}
    return leaf


REFUSED: list[Any] = [
    pytest.param({"n": math.nan}, "/n", id="NaN"),
    pytest.param({"n": [math.inf]}, "/n/0", id="infinity"),
    pytest.param({"n": -math.inf}, "/n", id="negative infinity"),
    pytest.param({"n": 2**53}, "/n", id="large integer"),
    pytest.param({"n": -(2**53)}, "/n", id="small integer"),
    pytest.param({"n": 10**400}, "/n", id="integer of 400 digits"),
    pytest.param({"n": 1e126}, "/n", id="large fraction"),
    pytest.param({"n": 9.9e-131}, "/n", id="small fraction"),
    pytest.param({"n": 5e-324}, "/n", id="smallest fraction"),
    pytest.param({"t": "a\0"}, "/t", id="U+0000"),
    pytest.param({"t": SURROGATE}, "/t", id="lone surrogate"),
    pytest.param({"a\0": 1}, "/a\0", id="U+0000 in a name"),
    pytest.param({SURROGATE: 1}, "", id="lone surrogate in a name"),
    pytest.param({"a": [{"b": {"": 1}}]}, "/a/0/b", id="empty name"),
    pytest.param({"a/b~c": [1, math.nan]}, "/a~1b~0c/1", id="names with a slash and a tilde"),
    pytest.param({"fine": 1, "first": 2**53, "second": math.nan}, "/first", id="two of them"),
    pytest.param({"s": {1, 2}}, "/s", id="what is not JSON"),
    pytest.param({1: 2}, "", id="a name that is no text"),
    pytest.param(nested(25, 1), "/d" * 24, id="deep"),
    pytest.param(nested(24, []), "/d" * 24, id="deep with an empty container"),
    pytest.param(nested(100, 1), "/d" * 24, id="very deep"),
]


@pytest.mark.parametrize(("metadata", "path"), REFUSED)
def test_what_some_pattern_could_not_keep_is_refused_by_its_path(metadata: Any, path: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        ijson.check(metadata, "")

    assert refusal.value.path == path


def test_24_levels_are_accepted() -> None:
    ijson.check(nested(24, 1), "")


@given(st.text())
def test_a_pointer_step_can_be_read_back(name: str) -> None:
    assert ijson.escape(name).replace("~1", "/").replace("~0", "~") == name
    assert "/" not in ijson.escape(name)

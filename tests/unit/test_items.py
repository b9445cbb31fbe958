"""JSON as DynamoDB attributes."""

import json
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import given

from lambdas.eventstore import Append, NewEvent
from lambdas.eventstore.dynamodb.items import from_attribute, to_attribute, to_event, to_item
from testkit.strategies import JSON


def typed(value: Any) -> Any:
    """What tells values apart that Python holds for equal: true and 1. 1.0 and 1 are one value in JSON."""
    if isinstance(value, dict):
        return {name: typed(item) for name, item in value.items()}
    return [typed(item) for item in value] if isinstance(value, list) else (isinstance(value, bool), value)


@given(JSON)
def test_any_json_survives_the_way_through_attributes(value: Any) -> None:
    assert typed(from_attribute(to_attribute(value))) == typed(value)


@given(JSON)
def test_attributes_survive_the_way_over_the_network(value: Any) -> None:
    assert json.loads(json.dumps(to_attribute(value))) == to_attribute(value)


@given(JSON)
def test_amazon_s_own_reader_finds_the_same_value(value: Any) -> None:
    attribute: Any = to_attribute(value)
    assert typed(_floats(TypeDeserializer().deserialize(attribute))) == typed(_floats(value))


@pytest.mark.parametrize(
    ("number", "read"),
    [("1", 1), ("1E+2", 100), ("1.0", 1), ("-0", 0), ("0.1", 0.1), ("1E-7", 1e-7), ("9007199254740991", 2**53 - 1)],
)
def test_numbers_are_read_however_dynamodb_writes_them(number: str, read: float) -> None:
    value = from_attribute({"N": number})

    assert (type(value), value) == (type(read), read)


def test_a_type_that_is_not_json_is_an_error() -> None:
    with pytest.raises(TypeError):
        to_attribute({1, 2})
    with pytest.raises(TypeError):
        from_attribute({"SS": ["a"]})


EVENT = NewEvent("a", 7, "TYPE", 3, {"name": "Åsa", "n": [1, 0.5]})


def test_an_event_survives_the_way_through_an_item() -> None:
    item = to_item(EVENT, "0" * 27, Append((EVENT,)))

    assert to_event(item) == EVENT.stored("0" * 27)
    assert to_event({**item, "position": {"N": "12"}}, "position").offset == "12"
    assert to_event(item, "eventId").offset == "0" * 27


def test_metadata_is_a_native_map() -> None:
    assert to_item(EVENT, "0" * 27, Append((EVENT,)))["metadata"]["M"]["name"] == {"S": "Åsa"}


def test_a_request_id_is_kept_with_the_digest_of_its_events() -> None:
    append = Append((EVENT,), "request")
    item = to_item(EVENT, "0" * 27, append)

    assert (item["requestId"], item["requestDigest"]) == ({"S": "request"}, {"S": append.digest})
    assert not {"requestId", "requestDigest"} & to_item(EVENT, "0" * 27, Append((EVENT,))).keys()


def _floats(value: Any) -> Any:
    """Numbers as floats, as far as they are no bool: Amazon's reader gives decimals."""
    if isinstance(value, dict):
        return {name: _floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return value if isinstance(value, (str, bool)) or value is None else float(value)

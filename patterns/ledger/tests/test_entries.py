"""What a log's entry is made of: canonical JSON as RFC 8785 has it, whichever way the numbers went before."""

from __future__ import annotations

import json
import struct
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given

from lambdas.eventstore.dynamodb.items import from_attribute, to_attribute
from testkit.strategies import METADATA

from ..transparency.entries import commitment, entry_of, erased, is_erased

SALT = bytes(range(32))
STORED: dict[str, Any] = {
    "aggregateId": "ann",
    "aggregateVersion": 2,
    "eventId": "3MatfZquwGeBvGiuQY0rQi16sg3",
    "eventType": "MOVED",
    "eventVersion": 1,
    "metadata": {"to": "Gent", "at": 1.0},
    "salt": b64encode(SALT).decode(),
    "requestId": "not in the entry",
}

# RFC 8785, appendix B (rfc-editor.org/rfc/rfc8785, read 2026-11): IEEE 754 doubles in hexadecimal, and their JSON.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("double", "text"), NUMBERS.items())
def test_a_number_is_written_as_the_rfc_has_it(double: str, text: str) -> None:
    [number] = struct.unpack(">d", bytes.fromhex(double))
    assert rfc8785.dumps(number) == text.encode()


def test_names_are_sorted_as_the_rfc_has_them() -> None:
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    sorted_ = list(json.loads(rfc8785.dumps(dict.fromkeys(names, 0))))
    assert sorted_ == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_the_sample_of_the_rfc_is_written_as_it_has_it() -> None:
    sample: Any = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    assert rfc8785.dumps(sample).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_an_entry_tells_all_of_an_event_but_its_payload() -> None:
    committed = b64encode(sha256(SALT + b'{"at":1,"to":"Gent"}').digest()).decode()
    assert entry_of(STORED).decode() == (
        f'{{"aggregateId":"ann","aggregateVersion":2,"commitment":"{committed}",'
        '"eventId":"3MatfZquwGeBvGiuQY0rQi16sg3","eventType":"MOVED","eventVersion":1}'
    )


def test_an_erased_event_has_the_same_entry_and_nothing_of_its_payload() -> None:
    left = erased(STORED)

    assert entry_of(left) == entry_of(STORED)
    assert is_erased(left)
    assert not is_erased(STORED)
    assert not is_erased({**STORED, "metadata": {"erased": "a payload may say so"}})
    assert erased(left) == left
    assert "Gent" not in str(left)
    assert STORED["salt"] not in str(left)


def test_the_salt_keeps_equal_payloads_apart() -> None:
    assert commitment(SALT, {"a": 1}) == commitment(SALT, {"a": 1.0}) != commitment(SALT[::-1], {"a": 1})
    assert len(b64decode(commitment(SALT, {}))) == 32


@given(METADATA)
def test_a_payload_has_one_commitment_in_the_log_and_in_the_table(payload: dict[str, Any]) -> None:
    """The log keeps JSON, the table numbers of DynamoDB's own."""
    in_the_log = json.loads(json.dumps(payload))
    in_the_table = from_attribute(to_attribute(payload))

    assert commitment(SALT, in_the_log) == commitment(SALT, in_the_table)

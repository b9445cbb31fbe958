"""What `metadata` may hold: I-JSON (RFC 7493), narrowed to what every pattern's service keeps exactly.

Refused: NaN and infinities, lone surrogates, U+0000, empty names, nesting deeper than 24, integers outside
±(2^53-1), and magnitudes outside 1e-130 … 9.9e125. The first offending value is named by its JSON Pointer.
"""

import math
from typing import Any

from lambdas.eventstore.errors import InvalidRequest
from lambdas.eventstore.limits import MAX_INTEGER, MAX_MAGNITUDE, METADATA_DEPTH, MIN_MAGNITUDE


def check(value: Any, path: str, depth: int = 1) -> None:
    """Raise InvalidRequest for the first value below `path` that some pattern could not keep exactly."""
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise InvalidRequest(path, "is an integer outside ±(2^53-1): send it as a string")
    elif isinstance(value, float):
        _check_float(value, path)
    elif isinstance(value, (dict, list)):
        if depth > METADATA_DEPTH:
            raise InvalidRequest(path, f"is nested deeper than {METADATA_DEPTH} levels: flatten the metadata")
        if isinstance(value, dict):
            for name, item in value.items():
                _check_name(name, path)
                check(item, f"{path}/{escape(name)}", depth + 1)
        else:
            for index, item in enumerate(value):
                check(item, f"{path}/{index}", depth + 1)
    else:
        raise InvalidRequest(path, f"is a {type(value).__name__}, which is not JSON")


def escape(name: str) -> str:
    """A name as a step of a JSON Pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _check_name(name: Any, path: str) -> None:
    if not isinstance(name, str):
        raise InvalidRequest(path, "has a name that is not a string")
    if not name:
        raise InvalidRequest(path, "has an empty name: DynamoDB refuses those")
    _check_text(name, f"{path}/{escape(name)}")


def _check_text(text: str, path: str) -> None:
    if "\0" in text:
        raise InvalidRequest(path, "contains U+0000, which PostgreSQL cannot store: remove it")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidRequest(path, "contains a lone surrogate, which UTF-8 cannot carry: remove it") from None


def _check_float(number: float, path: str) -> None:
    if not math.isfinite(number):
        raise InvalidRequest(path, "is not a finite number, and JSON has no others: use null or a string")
    if number and not MIN_MAGNITUDE <= abs(number) <= MAX_MAGNITUDE:
        raise InvalidRequest(
            path,
            f"is outside {MIN_MAGNITUDE:g} … {MAX_MAGNITUDE:g}, the range of DynamoDB: send it as a string",
        )

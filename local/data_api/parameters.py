"""Parameters on their way in: a `SqlParameter` of the API becomes a typed value for PostgreSQL.

A string is sent as text, a long as int8, a double as float8; only a type hint makes it anything else, so a statement
must cast, as on AWS. A NULL without a hint has no type of its own.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.data_api import pg_types
from local.data_api.errors import DataApiError, bad_request, database_error, invalid

_HINTS = {
    "DATE": (pg_types.DATE, re.compile(r"\d{4}-\d{2}-\d{2}")),
    "DECIMAL": (pg_types.NUMERIC, re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")),
    "JSON": (pg_types.JSON, re.compile(r".*", re.DOTALL)),
    "TIME": (pg_types.TIME, re.compile(r"\d{2}:\d{2}:\d{2}(\.\d{1,6})?")),
    "TIMESTAMP": (pg_types.TIMESTAMP, re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?")),
    "UUID": (pg_types.UUID, re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
}
_MAX_LONG = 2**63 - 1


@dataclass(frozen=True)
class Parameter:
    """A value in PostgreSQL's text form (or, if `binary`, as the bytes themselves) and the number of its type."""

    type: int
    value: bytes | None
    binary: bool = False


def read(parameters: Sequence[Mapping[str, Any]]) -> dict[str, Parameter]:
    """Raises DataApiError for a value that is no `Field`, an array, or one that does not fit its type hint."""
    return {_name(parameter): _parameter(parameter) for parameter in parameters}


def _name(parameter: Mapping[str, Any]) -> str:
    name = parameter.get("name")
    if not isinstance(name, str) or not name:
        raise invalid("A parameter has no name.")
    return name


def _parameter(parameter: Mapping[str, Any]) -> Parameter:
    hint, field = parameter.get("typeHint"), parameter.get("value")
    if hint is not None and hint not in _HINTS:
        raise invalid(f"The typeHint {hint!r} is none of {', '.join(_HINTS)}.")
    if not isinstance(field, dict) or len(field) != 1:
        raise invalid(f"The value of parameter {parameter['name']} must have exactly one member.")
    [(member, value)] = field.items()
    if member == "stringValue" and hint and isinstance(value, str):
        number, form = _HINTS[hint]
        if not form.fullmatch(value):
            raise bad_request(f"The value of parameter {parameter['name']} does not fit its typeHint {hint}: {value}")
        return Parameter(number, _utf8(value))
    if member == "isNull" and value is True:
        return Parameter(_HINTS[hint][0] if hint else pg_types.UNSPECIFIED, None)
    return _plain(parameter["name"], member, value)


def _plain(name: str, member: str, value: object) -> Parameter:
    match member, value:
        case "arrayValue", _:
            raise bad_request("Array parameters are not supported.")
        case "booleanValue", bool():
            return Parameter(pg_types.BOOL, b"true" if value else b"false")
        case "longValue", int() if not isinstance(value, bool) and -_MAX_LONG - 1 <= value <= _MAX_LONG:
            return Parameter(pg_types.INT8, str(value).encode())
        case "doubleValue", (int() | float() | "NaN" | "Infinity" | "-Infinity") if not isinstance(value, bool):
            return Parameter(pg_types.FLOAT8, repr(value).strip("'").encode())
        case "stringValue", str():
            return Parameter(pg_types.TEXT, _utf8(value))
        case "blobValue", str():
            return Parameter(pg_types.BYTEA, _base64(value), binary=True)
    raise _not_a_field(name, member)


def _utf8(text: str) -> bytes:
    """PostgreSQL cannot hold U+0000, and libpq would cut the parameter there without an error."""
    if "\0" in text:
        raise database_error('invalid byte sequence for encoding "UTF8": 0x00', "22021")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise invalid("A string is not valid Unicode: it has half of a surrogate pair.") from None


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise invalid("A blobValue is not valid base64.") from None


def _not_a_field(name: str, member: str) -> DataApiError:
    return invalid(f"The value of parameter {name} is no {member}.")

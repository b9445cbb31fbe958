"""Results on their way out: rows in PostgreSQL's text form become `Field`s, or one JSON text, within the limits."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.data_api import pg_types
from local.data_api.errors import bad_request, internal_failure, unsupported_result
from local.data_api.limits import Limits

Row = Sequence[bytes | None]
Field = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of a result. `table` and `attribute` say where it comes from; both are 0 if it was computed."""

    name: str
    type: int
    modifier: int
    table: int = 0
    attribute: int = 0


@dataclass(frozen=True)
class Options:
    """`resultSetOptions` of a request."""

    decimals_as_numbers: bool = False
    longs_as_strings: bool = False


def check(columns: Sequence[Column], rows: Sequence[Row], limits: Limits) -> None:
    """Raises DataApiError for a type that is not returned, a row or a result that is too large."""
    for column in columns:
        if not pg_types.type_of(column.type):
            raise unsupported_result(f"The result contains the unsupported data type {_refused(column.type)}.")
    # As the rows travel on PostgreSQL's wire: a count of columns, and each value behind its length.
    sizes = [2 + sum(4 + len(value or b"") for value in row) for row in rows]
    if max(sizes, default=0) > limits.row_bytes:
        raise unsupported_result(f"Packet for query is too large ({max(sizes)} > {limits.row_bytes})")
    if sum(sizes) > limits.result_bytes:
        raise unsupported_result("The result exceeds the size limit 1 MB.")


def records(columns: Sequence[Column], rows: Sequence[Row], options: Options) -> list[list[Field]]:
    return [[_field(column.type, value, options) for column, value in zip(columns, row, strict=True)] for row in rows]


def formatted(columns: Sequence[Column], rows: Sequence[Row], options: Options, limits: Limits) -> str:
    """The rows as one JSON array of objects, whose names are the columns' labels."""
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        raise bad_request("The result has more than one column of the same name, which JSON cannot hold.")
    objects = [dict(zip(names, map(_plain, fields), strict=True)) for fields in records(columns, rows, options)]
    text = json.dumps(objects, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > limits.json_bytes:
        raise bad_request("The JSON-formatted result exceeds the size limit 10 MB.")
    return text


def _field(number: int, value: bytes | None, options: Options) -> Field:
    if value is None:
        return {"isNull": True}
    if number in pg_types.ELEMENT_OF:
        return {"arrayValue": _array(pg_types.ELEMENT_OF[number], value.decode())}
    return _scalar(number, value.decode(), options)


def _scalar(number: int, text: str, options: Options) -> Field:
    kind = pg_types.type_of(number)
    assert kind is not None  # check() came first
    if kind.field == "longValue" and options.longs_as_strings:
        return {"stringValue": text}
    if number == pg_types.NUMERIC and options.decimals_as_numbers:
        return {"longValue": int(text)} if text.lstrip("-").isdigit() else {"doubleValue": _double(text)}
    return {kind.field: _READERS.get(number, _BY_FIELD[kind.field])(text)}


def _array(element: int, text: str) -> dict[str, list[Any]]:
    """Of one dimension: AWS returns no others."""
    member = pg_types.TYPES[element].field
    values = [None if item is None else _scalar(element, item, Options())[member] for item in _items(text)]
    return {member.replace("Value", "Values"): values}


_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|([^",{}]+)')


def _items(text: str) -> Iterator[str | None]:
    inner = text[text.index("{") + 1 : -1]  # in front of it there may be bounds, as in [0:1]={…}
    if "{" in _ITEM.sub("", inner):
        raise unsupported_result("The result contains a multidimensional array")
    for quoted, bare in _ITEM.findall(inner):
        yield (None if bare == "NULL" else bare) if bare else re.sub(r"\\(.)", r"\1", quoted)


def _double(text: str) -> float | str:
    """JSON has no NaN or infinities: the protocol spells them as strings."""
    return text if text in ("NaN", "Infinity", "-Infinity") else float(text)


def _base64(text: str) -> str:
    return base64.b64encode(bytes.fromhex(text.removeprefix("\\x"))).decode()


def _date(text: str) -> str:
    if text in ("infinity", "-infinity"):
        raise internal_failure()  # all that AWS says of it
    return text


def _time(text: str) -> str:
    """No fraction, milliseconds or microseconds, whichever is enough; PostgreSQL leaves out trailing zeros."""
    seconds, _, fraction = _date(text).partition(".")
    return f"{seconds}.{fraction.ljust(3 if len(fraction) <= 3 else 6, '0')}" if fraction else seconds


def _timestamp_with_zone(text: str) -> str:
    """The moment in UTC, without a zone."""
    try:
        moment = datetime.fromisoformat(_date(text)).astimezone(UTC)
    except (ValueError, OverflowError):  # a year that Python does not know
        raise internal_failure() from None
    return _time(moment.replace(tzinfo=None).isoformat(" ").rstrip("0") if moment.microsecond else str(moment)[:-6])


_BY_FIELD: dict[str, Callable[[str], Any]] = {
    "booleanValue": lambda text: text == "t",
    "longValue": int,
    "doubleValue": _double,
    "stringValue": str,
    "blobValue": _base64,
}
_READERS: dict[int, Callable[[str], Any]] = {
    pg_types.DATE: _date,
    pg_types.TIME: _time,
    pg_types.TIMESTAMP: _time,
    pg_types.TIMESTAMPTZ: _timestamp_with_zone,
}


def _plain(field: Field) -> Any:
    """The value in a `Field`, as it stands in `formattedRecords`."""
    [(member, value)] = field.items()
    if member == "isNull":
        return None
    return next(iter(value.values())) if member == "arrayValue" else value


_REFUSED = {18: '"CHAR"', 142: "XML", 600: "POINT", 790: "MONEY", 1186: "INTERVAL", 1266: "TIMETZ", 2205: "regclass"}


def _refused(number: int) -> str:
    return _REFUSED.get(number, str(number))

"""An event as a DynamoDB item, and JSON values as its attributes.

`metadata` is a native map, so that it can be read and filtered in the table. Every value that the contract accepts
comes back equal. Nothing here calls AWS.
"""

from __future__ import annotations

import math
from typing import Any

from lambdas.eventstore.contract import Append
from lambdas.eventstore.events import NewEvent, StoredEvent
from lambdas.eventstore.limits import MAX_INTEGER

Attribute = dict[str, Any]
Item = dict[str, Attribute]
Key = tuple[str, int]
"""Of an event: aggregate id and version."""


def to_item(event: NewEvent, event_id: str, append: Append) -> Item:
    """An event as the item to put; the pattern adds what it needs besides."""
    item = {name: to_attribute(value) for name, value in event.to_wire().items()}
    item["eventId"] = to_attribute(event_id)
    if append.request_id is not None:
        item["requestId"] = to_attribute(append.request_id)
        item["requestDigest"] = to_attribute(append.digest)
    return item


def to_event(item: Item, offset: str | None = None) -> StoredEvent:
    """The event that `item` holds; `offset` names the attribute with its offset, a string or a number."""
    return StoredEvent(
        aggregate_id=item["aggregateId"]["S"],
        aggregate_version=int(item["aggregateVersion"]["N"]),
        event_type=item["eventType"]["S"],
        event_version=int(item["eventVersion"]["N"]),
        metadata=from_attribute(item["metadata"]),
        event_id=item["eventId"]["S"],
        offset=str(from_attribute(item[offset])) if offset else None,
    )


def key_of(item: Item) -> Key:
    return item["aggregateId"]["S"], int(item["aggregateVersion"]["N"])


def item_bytes(item: Item) -> int:
    """Size of an item as DynamoDB counts it, attribute names included; of a number about
    (amazondynamodb/latest/developerguide/CapacityUnitCalculations.html, read 2026-11)."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(attribute: Attribute) -> int:
    [(kind, value)] = attribute.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            # About 1 byte for two significant digits, and 1 more.
            digits = len(value.lstrip("-").replace(".", "").strip("0") or "0")
            return math.ceil(digits / 2) + 1 + int(value.startswith("-"))
        case "B":
            return len(value)
        case "BOOL" | "NULL":
            return 1
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(inner) for name, inner in value.items())
        case "L":
            return 3 + sum(1 + _value_bytes(inner) for inner in value)
    raise TypeError(f"a DynamoDB attribute of type {kind} has no size here")


def to_attribute(value: Any) -> Attribute:
    """A JSON value as a DynamoDB attribute (developerguide/HowItWorks.NamingRulesDataTypes)."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case None:
            return {"NULL": True}
        case int() | float():
            return {"N": repr(value)}
        case dict():
            return {"M": {name: to_attribute(item) for name, item in value.items()}}
        case list():
            return {"L": [to_attribute(item) for item in value]}
    raise TypeError(f"{type(value).__name__} is not JSON")


def from_attribute(attribute: Attribute) -> Any:
    """The JSON value of an attribute. Whole numbers come back as int as far as I-JSON keeps them exact."""
    [(kind, value)] = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "NULL":
            return None
        case "N":
            number = float(value)
            return int(number) if abs(number) <= MAX_INTEGER and math.trunc(number) == number else number
        case "M":
            return {name: from_attribute(item) for name, item in value.items()}
        case "L":
            return [from_attribute(item) for item in value]
    raise TypeError(f"a DynamoDB attribute of type {kind} is not JSON")

"""What a store's AWS calls cost, by DynamoDB's own rules: requests, write units, read units.

Write units come from the answers' ConsumedCapacity, indexes included. Read units are computed from the sizes of the
items that were read, by AWS's rounding, since the emulator counts each read request as one unit
(amazondynamodb/latest/developerguide/read-write-operations.html, CapacityUnitCalculations.html, read 2026-11).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lambdas.eventstore.dynamodb.items import item_bytes
from testkit import clients
from testkit.aws_calls import Call

READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024


@dataclass(frozen=True)
class Cost:
    requests: float
    write_units: float
    read_units: float

    def per(self, count: int) -> Cost:
        return Cost(self.requests / count, self.write_units / count, self.read_units / count)


def cost(calls: Iterable[Call]) -> Cost:
    calls = list(calls)
    return Cost(len(calls), sum(map(_write_units, calls)), sum(map(_read_units, calls)))


def _write_units(call: Call) -> float:
    if call.operation in _READS or call.service != "dynamodb":
        return 0.0
    if "Error" in call.answer:
        return _units_of_a_failed_write(call)
    consumed = call.answer.get("ConsumedCapacity", [])
    tables = consumed if isinstance(consumed, list) else [consumed]
    return float(sum(table.get("CapacityUnits", 0.0) for table in tables))


def _units_of_a_failed_write(call: Call) -> float:
    """A write whose condition does not hold costs what it would have cost on the table; the answer does not tell it."""
    if call.operation == "PutItem":
        return math.ceil(item_bytes(call.parameters["Item"]) / WRITE_UNIT_BYTES)
    assert call.operation == "TransactWriteItems", f"the cost of a failed {call.operation} is not known here"
    puts = [item["Put"]["Item"] for item in call.parameters["TransactItems"] if "Put" in item]
    assert len(puts) == len(call.parameters["TransactItems"]), "only puts are known here"
    return 2.0 * sum(math.ceil(item_bytes(item) / WRITE_UNIT_BYTES) for item in puts)


def _read_units(call: Call) -> float:
    reader = _READS.get(call.operation) if call.service == "dynamodb" else None
    return reader(call) if reader else 0.0


def _units(size: int, *, strong: bool) -> float:
    return max(1, math.ceil(size / READ_UNIT_BYTES)) * (1.0 if strong else 0.5)


def _query(call: Call) -> float:
    """All that the query passed over counts together; a projection saves nothing, so the items are read again whole."""
    dropped = ("ProjectionExpression", "FilterExpression", "Select", "ReturnConsumedCapacity")
    whole = {name: value for name, value in call.parameters.items() if name not in dropped}
    whole["Limit"] = call.answer.get("ScannedCount", call.answer["Count"])
    condition = whole.get("KeyConditionExpression", "")
    if names := whole.pop("ExpressionAttributeNames", None):
        whole["ExpressionAttributeNames"] = {name: value for name, value in names.items() if name in condition}
    read = _client().query if call.operation == "Query" else _client().scan
    items = read(**whole)["Items"] if whole["Limit"] else []
    return _units(sum(map(item_bytes, items)), strong=call.parameters.get("ConsistentRead", False))


def _get_item(call: Call) -> float:
    return _keys_read(call.parameters["TableName"], [call.parameters["Key"]], call.parameters)


def _batch_get_item(call: Call) -> float:
    requests = call.parameters["RequestItems"]
    return sum(_keys_read(table, request["Keys"], request) for table, request in requests.items())


def _keys_read(table: str, keys: list[dict[str, Any]], request: dict[str, Any]) -> float:
    """Each item is rounded up on its own, and one that does not exist costs as much as a small one."""
    items = [_client().get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {}) for key in keys]
    return sum(_units(item_bytes(item), strong=request.get("ConsistentRead", False)) for item in items)


def _transact_get_items(call: Call) -> float:
    gets = [item["Get"] for item in call.parameters["TransactItems"]]
    return sum(2 * _keys_read(get["TableName"], [get["Key"]], {"ConsistentRead": True}) for get in gets)


def _client() -> Any:
    return clients.client("dynamodb")


_READS = {
    "Query": _query,
    "Scan": _query,
    "GetItem": _get_item,
    "BatchGetItem": _batch_get_item,
    "TransactGetItems": _transact_get_items,
}

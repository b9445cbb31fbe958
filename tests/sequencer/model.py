"""A model of DynamoDB, as far as a sequencer uses it: each call takes effect as a whole, at one instant.

Thousands of schedules and faults can be tried on it in seconds. That DynamoDB is like it (conditions on one item,
strong reads) is AWS's promise; that a sequencer's requests mean the same there is shown on the emulator.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from testkit.faults import Crash

Item = dict[str, Any]
Call = Callable[[], Any]
Strike = Callable[[Call], Any]
Around = Callable[[str, Call], Any]
"""Told of an operation and how to call it, makes the answer."""


class Model:
    """Tables with a partition key that is a string and a sort key that is a number."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[tuple[str, float], Item]] = {}
        self._keys: dict[str, list[str]] = {}

    def create_table(self, **request: Any) -> None:
        self._tables[request["TableName"]] = {}
        self._keys[request["TableName"]] = [part["AttributeName"] for part in request["KeySchema"]]

    def delete_table(self, **request: Any) -> None:
        del self._tables[request["TableName"]]

    def put_item(self, **request: Any) -> None:
        self._change(request, request["Item"], lambda _: request["Item"])

    def update_item(self, **request: Any) -> None:
        [(name, value)] = re.findall(r"SET (\w+) = (:\w+)$", request["UpdateExpression"])
        change = {name: request["ExpressionAttributeValues"][value]}
        self._change(request, request["Key"], lambda old: {**request["Key"], **old, **change})

    def delete_item(self, **request: Any) -> None:
        self._tables[request["TableName"]].pop(self._key(request["TableName"], request["Key"]), None)

    def get_item(self, **request: Any) -> dict[str, Any]:
        item = self._tables[request["TableName"]].get(self._key(request["TableName"], request["Key"]))
        return {"Item": deepcopy(item)} if item else {}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        [(table, wanted)] = request["RequestItems"].items()
        assert len(wanted["Keys"]) <= 100
        found = [self.get_item(TableName=table, Key=key) for key in wanted["Keys"]]
        return {"Responses": {table: [answer["Item"] for answer in found if answer]}}

    def query(self, **request: Any) -> dict[str, Any]:
        [comparison] = re.findall(r"firstPosition (<=|>) :position", request["KeyConditionExpression"])
        part, position = (request["ExpressionAttributeValues"][name] for name in (":pages", ":position"))
        compare = {"<=": operator.le, ">": operator.gt}[comparison]
        keys = sorted(key for key in self._tables[request["TableName"]] if key[0] == part["S"])
        keys = [key for key in keys if compare(key[1], int(position["N"]))]
        items = [self._tables[request["TableName"]][key] for key in keys]
        return {"Items": deepcopy((items if request["ScanIndexForward"] else items[::-1])[: request["Limit"]])}

    def scan(self, **request: Any) -> dict[str, Any]:
        table = self._tables[request["TableName"]]
        keys = sorted(table)
        if start := request.get("ExclusiveStartKey"):
            keys = [key for key in keys if key > self._key(request["TableName"], start)]
        sizes = accumulate(len(str(table[key])) for key in keys)
        page = [key for key, size in zip(keys, sizes, strict=True) if size <= 1_000_000][: request.get("Limit")]
        answer: dict[str, Any] = {"Items": [deepcopy(table[key]) for key in page], "ScannedCount": len(page)}
        if len(page) < len(keys):
            answer["LastEvaluatedKey"] = {name: table[page[-1]][name] for name in self._keys[request["TableName"]]}
        return answer

    def _change(self, request: dict[str, Any], key: Item, new: Callable[[Item], Item]) -> None:
        table = self._tables[request["TableName"]]
        old = table.get(self._key(request["TableName"], key), {})
        if not _holds(request.get("ConditionExpression"), old, request.get("ExpressionAttributeValues", {})):
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": ""}}, "PutItem")
        table[self._key(request["TableName"], key)] = deepcopy(new(old))

    def _key(self, table: str, item: Item) -> tuple[str, float]:
        hash_key, range_key = self._keys[table]
        if not 1 <= len(item[hash_key]["S"].encode()) <= 2048:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "size of a key"}}, "")
        return item[hash_key]["S"], float(item[range_key]["N"])


class Client:
    """A client of the model. Each of its calls goes through `around`."""

    def __init__(self, model: Model, around: Around) -> None:
        self._model, self._around = model, around

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **request: self._around(operation, partial(getattr(self._model, operation), **request))


def _holds(condition: str | None, item: Item, values: Item) -> bool:
    return condition is None or any(_clause_holds(clause, item, values) for clause in condition.split(" OR "))


def _clause_holds(clause: str, item: Item, values: Item) -> bool:
    if absent := re.fullmatch(r"attribute_not_exists\((\w+)\)", clause):
        return absent[1] not in item
    [(name, value)] = re.findall(r"^(\w+) < (:\w+)$", clause)
    return name in item and int(item[name]["N"]) < int(values[value]["N"])


def undisturbed(operation: str, call: Call) -> Any:
    return call()


@dataclass
class Fault:
    """Strikes the call with this number, counted from 0."""

    strike: Strike
    number: int
    calls: int = 0

    def __call__(self, operation: str, call: Call) -> Any:
        self.calls += 1
        return self.strike(call) if self.calls == self.number + 1 else call()

    @property
    def struck(self) -> bool:
        return self.calls > self.number


def unreachable(call: Call) -> None:
    raise EndpointConnectionError(endpoint_url="")


def answer_lost(call: Call) -> None:
    with suppress(ClientError):
        call()
    raise ConnectionClosedError(endpoint_url="")


def answer_lost_and_sent_again(call: Call) -> Any:
    with suppress(ClientError):
        call()
    return call()


def killed_before(call: Call) -> None:
    raise Crash


def killed_after(call: Call) -> None:
    with suppress(ClientError):
        call()
    raise Crash


FAULTS = (unreachable, answer_lost, answer_lost_and_sent_again, killed_before, killed_after)

"""What a request costs the local DynamoDB, by how much is stored, with our changes to it and without.

    PYTHONPATH=. .venv/bin/python -m testkit.query_times

Prints milliseconds of CPU time in the emulator, without HTTP and SDK. The table in local/README.md comes from here.
"""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

from testkit import emulator

SIZES = (100, 1_000, 10_000, 100_000)
_KEY = [{"AttributeName": "part", "KeyType": "HASH"}, {"AttributeName": "place", "KeyType": "RANGE"}]
_TABLE = {
    "TableName": "events",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": _KEY,
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": kind} for name, kind in (("part", "S"), ("place", "N"))
    ],
}
_WHOLE = {"KeyConditionExpression": "part = :part", "ExpressionAttributeValues": {":part": {"S": "all"}}}


def main() -> None:
    changed, original = emulator.changed_and_original()
    print(f"{'items':>9} {'':10} {'PutItem':>9} {'newest':>9} {'page of 100':>12} {'Scan of 100':>12}")
    for size in SIZES:
        for name, dynamodb in (("changed", changed), ("original", original)):
            put, *reads = _milliseconds(dynamodb, size)
            print(f"{size:9,} {name:10} {put:9.2f} {reads[0]:9.2f} {reads[1]:12.2f} {reads[2]:12.2f}")


def _milliseconds(dynamodb: ModuleType, size: int) -> list[float]:
    dynamodb.reset()
    _ask(dynamodb, "CreateTable", _TABLE)
    for place in range(size):
        dynamodb._set_item(dynamodb._tables["events"], "all", str(place), _item(place))
    middle = {":part": {"S": "all"}, ":place": {"N": str(size // 2)}}
    reads: list[tuple[str, dict[str, Any]]] = [
        ("Query", {**_WHOLE, "ScanIndexForward": False, "Limit": 1}),
        (
            "Query",
            {
                "KeyConditionExpression": "part = :part AND place >= :place",
                "ExpressionAttributeValues": middle,
                "Limit": 100,
            },
        ),
        ("Scan", {"Limit": 100}),
    ]
    for read in reads:  # the first of each kind sorts
        _ask(dynamodb, *read)
    times = [_repeated(dynamodb, "PutItem", [{"Item": _item(size + n)} for n in range(20)])]
    return times + [_repeated(dynamodb, operation, [request] * 5) for operation, request in reads]


def _item(place: int) -> dict[str, Any]:
    return {"part": {"S": "all"}, "place": {"N": str(place)}, "metadata": {"M": {"note": {"S": "n" * 100}}}}


def _repeated(dynamodb: ModuleType, operation: str, requests: list[dict[str, Any]]) -> float:
    began = time.process_time()
    for request in requests:
        _ask(dynamodb, operation, request)
    return (time.process_time() - began) / len(requests) * 1000


def _ask(dynamodb: ModuleType, operation: str, request: dict[str, Any]) -> None:
    status, answer = emulator.ask(dynamodb, operation, {"TableName": "events", **request})
    assert status == 200, answer


if __name__ == "__main__":
    main()

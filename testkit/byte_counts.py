"""Bytes that carry over from an emulator to AWS: of requests and answers, and of what a store's tables hold.

Those of calls are of the bodies: without headers, without the capacity report that measuring asks for, and without ids
that a service counts up.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from lambdas.eventstore.dynamodb.items import item_bytes
from testkit import clients
from testkit.aws_calls import Call, Disturbance, Send

INDEX_ENTRY_BYTES = 100
"""What DynamoDB bills for each item, and again for each index entry (developerguide/CapacityUnitCalculations.html)."""


class BodyBytes(Disturbance):
    """Counts the bytes of each call on its way. `counted` matches ids whose length depends on what went before."""

    def __init__(self, counted: str = "") -> None:
        self._counted = re.compile(counted)
        self.sent: Counter[int] = Counter()
        self.received: Counter[int] = Counter()

    def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse:
        self.sent[call.number] += self._size(request.body or b"", "ReturnConsumedCapacity")
        answer = send(request)
        self.received[call.number] += self._size(answer.content, "ConsumedCapacity")
        return answer

    def _size(self, body: Any, not_ours: str) -> int:
        raw = body.encode() if isinstance(body, str) else bytes(body)
        try:
            content = json.loads(raw)
        except ValueError:
            return len(raw)
        if isinstance(content, dict):
            content.pop(not_ours, None)
        return len(self._counted.sub("", json.dumps(content, separators=(",", ":"), ensure_ascii=False)).encode())


def table_bytes(environment: Mapping[str, str]) -> int:
    """Of all items of a store's tables and index entries."""
    client: Any = clients.client("dynamodb")
    tables = set(client.list_tables()["TableNames"])
    total = 0
    for table in {value for value in environment.values() if value in tables}:
        description = client.describe_table(TableName=table)["Table"]
        indexes = [key["KeySchema"] for key in description.get("GlobalSecondaryIndexes", [])]
        for page in client.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                entries = 1 + sum(all(key["AttributeName"] in item for key in index) for index in indexes)
                total += entries * (item_bytes(item) + INDEX_ENTRY_BYTES)
    return total

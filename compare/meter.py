"""What an operation used: from the AWS calls that it made to units, bytes, and things that have a price.

Bytes are those of request and answer bodies: without headers, without the capacity report that measuring asks for, and
without ids that a service counts up.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from compare.costs import Prices, Usage, Work, total
from testkit import capacity
from testkit.aws_calls import Call, Disturbance, Send

KB = 1024
SERVICES = {"dynamodb": "dynamodb_ms", "sqs": "sqs_ms", "rds-data": "data_api_ms", "kms": "kms_ms", "s3": "s3_ms"}


class Scales(Disturbance):
    """Weighs each call on its way. `counted` matches ids whose length depends on what went before."""

    def __init__(self, counted: str = "") -> None:
        self._counted = re.compile(counted)
        self.sent: Counter[int] = Counter()
        self.received: Counter[int] = Counter()

    def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse:
        self.sent[call.number] += self._weight(request.body or b"", "ReturnConsumedCapacity")
        answer = send(request)
        self.received[call.number] += self._weight(answer.content, "ConsumedCapacity")
        return answer

    def _weight(self, body: Any, not_ours: str) -> int:
        raw = body.encode() if isinstance(body, str) else bytes(body)
        try:
            content = json.loads(raw)
        except ValueError:
            return len(raw)
        if isinstance(content, dict):
            content.pop(not_ours, None)
        return len(self._counted.sub("", json.dumps(content, separators=(",", ":"), ensure_ascii=False)).encode())


@dataclass(frozen=True)
class Measured:
    """One piece of work: its calls by name, DynamoDB units, bytes, and what it would be billed as."""

    calls: dict[str, int]
    write_units: float
    read_units: float
    bytes_sent: int
    bytes_received: int
    work: Work

    @property
    def requests(self) -> int:
        return sum(self.calls.values())


def measure(calls: Sequence[Call], scales: Scales, prices: Prices) -> Measured:
    units = capacity.cost(calls)
    names = Counter(f"{call.service}:{call.operation}" for call in calls)
    return Measured(
        calls=dict(sorted(names.items())),
        write_units=units.write_units,
        read_units=units.read_units,
        bytes_sent=scales.sent.total(),
        bytes_received=scales.received.total(),
        work=_work(calls, scales, units, prices),
    )


def _work(calls: Sequence[Call], scales: Scales, units: capacity.Cost, prices: Prices) -> Work:
    dynamodb = {"dynamodb_write_units": units.write_units, "dynamodb_read_units": units.read_units}
    others = [_billed(call, scales.sent[call.number], scales.received[call.number]) for call in calls]
    return Work(
        usage={name: amount for name, amount in total(dynamodb, *others).items() if amount},
        milliseconds=sum(prices.assumed(_latency(call)) for call in calls),
        requests=float(sum(call.service == "rds-data" for call in calls)),
    )


def _billed(call: Call, sent: int, received: int) -> Usage:
    """What is billed by the request. Calls that are free, or billed by units, are nothing here."""
    match call.service, call.operation:
        case "sqs", _:
            kind = "fifo" if call.parameters.get("QueueUrl", "").endswith(".fifo") else "standard"
            return {f"sqs_{kind}_requests": float(_chunks(sent, 64 * KB))}
        case "rds-data", _:
            return {"data_api_requests": float(_chunks(max(sent, received), 32 * KB))}
        case "kms", "Sign":
            return {"kms_asymmetric_requests": 1.0}
        case "s3", operation:
            return {"s3_writes" if operation.startswith(("Put", "List", "Copy")) else "s3_reads": 1.0}
    return {}


def _latency(call: Call) -> str:
    if call.service == "dynamodb" and call.operation.startswith("Transact"):
        return "dynamodb_transaction_ms"
    return SERVICES.get(call.service, "other_ms")


def _chunks(size: int, chunk: int) -> int:
    return max(1, math.ceil(size / chunk))

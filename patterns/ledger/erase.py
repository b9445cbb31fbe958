"""`erase` `{"aggregateId", "aggregateVersion"?}` → `{"erased"}`: how many events of the aggregate have no payload now.

Without a version, those of the whole aggregate. Repeated, it completes what was stopped, and changes nothing more.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from lambdas.eventstore import aws
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.errors import InvalidRequest

from . import runtime, store
from .bucket import Bucket
from .erasure import Erasure
from .log import LedgerLog


@runtime.function
def handler(request: runtime.Request) -> runtime.Answer:
    return answer(_erasure(), request)


def answer(erasure: Erasure, request: runtime.Request) -> runtime.Answer:
    runtime.only(request, {"aggregateId", "aggregateVersion"})
    if "aggregateId" not in request:
        raise InvalidRequest("/aggregateId", "is missing")
    version = runtime.whole(request, "aggregateVersion", least=1) if "aggregateVersion" in request else None
    erased = erasure.erase(runtime.text(request, "aggregateId"), version)
    runtime.logger.info("erased", extra={"events": erased})
    return {"erased": erased}


def from_environment(environ: Mapping[str, str]) -> Erasure:
    """The erasure that the Lambda's environment describes: TABLE, LOG_TABLE and TILES_BUCKET."""
    client = aws.client("dynamodb")
    events, log = EventsTable(client, environ["TABLE"]), LedgerLog(client, environ["LOG_TABLE"])
    return Erasure(store.from_environment(environ), events, log, Bucket(aws.client("s3"), environ["TILES_BUCKET"]))


@cache
def _erasure() -> Erasure:
    return from_environment(os.environ)

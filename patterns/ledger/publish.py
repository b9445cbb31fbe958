"""`publish` `{}` → `{"size"}`: brings the published log up to the log, on a schedule and on demand."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from aws_lambda_powertools.metrics import MetricUnit

from lambdas.eventstore import aws
from lambdas.eventstore.retry import seconds_left

from . import runtime
from .log import LedgerLog
from .publisher import Publisher

_BATCH_SECONDS = 30.0
"""Without so much time left no further batch is begun: many times what one takes."""


@runtime.function
def handler(request: runtime.Request) -> runtime.Answer:
    """Whatever the request is: a schedule sends its own."""
    size = _publisher().publish(lambda: seconds_left() > _BATCH_SECONDS)
    runtime.metrics.add_metric("PublishedEntries", MetricUnit.Count, size)
    runtime.logger.info("published", extra={"size": size})
    return {"size": size}


@cache
def _publisher() -> Publisher:
    log = LedgerLog(aws.client("dynamodb"), os.environ["LOG_TABLE"])
    return Publisher(
        runtime.bucket(),
        log.entries,
        os.environ["LOG_ORIGIN"],
        runtime.signers(),
        ThreadPoolExecutor(runtime.THREADS).map,
    )

"""The scheduled sweep: a Lambda of its own, so that looking never holds up the sequencer.

It may read both tables and write nothing but its cursor; what it finds behind, it rings for through the queue, under a
deduplication id of its own: the queue would take a repetition of the relay's for done. A ring that is lost is rung
again by the next pass.
"""

import os
import time
import uuid
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.eventstore import aws, ksuids
from lambdas.eventstore.dynamodb import EventsTable
from lambdas.eventstore.log import Log
from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sweep import sweep
from patterns.sqs_fifo.queue import Queue

_logger = Logger()
_metrics = Metrics()


def from_environment(environ: Mapping[str, str]) -> Callable[[], int]:
    """The sweep that the Lambda's environment describes.

    TABLE, of the events, LOG_TABLE, QUEUE_URL, SWEEP_EVENTS (looked at in a run), SETTLE_SECONDS.
    """
    client = aws.client("dynamodb")
    events, log = EventsTable(client, environ["TABLE"]), Log(client, environ["LOG_TABLE"])
    queue = Queue.from_environment(environ)

    def run() -> int:
        ring = partial(queue.send, occasion=str(uuid.uuid4()))
        settled = ksuids.first_of(time.time() - int(environ["SETTLE_SECONDS"]))
        return sweep(events, log, ring, limit=int(environ["SWEEP_EVENTS"]), settled=settled)

    return run


@_metrics.log_metrics
@_logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: Any) -> None:
    with time_limit(context.get_remaining_time_in_millis() / 1000):
        behind = _sweep()()
    _metrics.add_metric("Stragglers", MetricUnit.Count, behind)
    _logger.info("swept", extra={"stragglers": behind})


@cache
def _sweep() -> Callable[[], int]:
    return from_environment(os.environ)

"""The scheduled sweep: a Lambda of its own, so that looking never takes the single writer's one execution.

It may read both tables and write nothing but its cursor; what it finds behind, it rings for by invoking the sequencer
asynchronously. A ring that is lost is rung again by the next pass.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.eventstore import aws, doorbells, ksuids
from lambdas.eventstore.doorbells import Doorbells
from lambdas.eventstore.dynamodb import EventsTable
from lambdas.eventstore.log import Log
from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sweep import sweep

_logger = Logger()
_metrics = Metrics()


def from_environment(environ: Mapping[str, str]) -> Callable[[], int]:
    """The sweep that the Lambda's environment describes.

    TABLE, of the events, LOG_TABLE, SEQUENCER (the function's name), SWEEP_EVENTS (looked at in a run), SETTLE_SECONDS.
    """
    dynamodb, functions = aws.client("dynamodb"), aws.client("lambda")
    events, log = EventsTable(dynamodb, environ["TABLE"]), Log(dynamodb, environ["LOG_TABLE"])

    def ring(stragglers: Doorbells) -> None:
        payload = json.dumps({"doorbells": doorbells.to_json(stragglers)})
        functions.invoke(FunctionName=environ["SEQUENCER"], InvocationType="Event", Payload=payload)

    def run() -> int:
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

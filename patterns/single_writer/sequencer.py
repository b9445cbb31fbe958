"""The single writer: woken by the events table's stream, and by the sweep, it orders all events in the log.

Reserved concurrency 1 keeps sequencers from getting in each other's way; what keeps them from harm is the log itself.
Fails: a batch with a doorbell that cannot be met (all others in it have been) is raised, for Lambda to bisect, to retry
a few times and to send to the failures queue.
"""

import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.eventstore import aws, doorbells, ksuids
from lambdas.eventstore.dynamodb import EventsTable
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.log import Log
from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencer import OnPage, Sequencer

_logger = Logger()
_metrics = Metrics()

_THREADS = 10
"""As many as an SDK client keeps connections."""

_MARGIN = 1.0
"""Seconds of the invocation kept back for raising and logging."""


class UnmetDoorbells(Exception):
    """Events that were heard of are absent, or are not events. Their aggregates wait; the log goes on without them."""


def from_environment(environ: Mapping[str, str], on_page: OnPage = lambda page: None) -> Sequencer:
    """The sequencer that the Lambda's environment describes: TABLE, of the events, and LOG_TABLE."""
    client = aws.client("dynamodb")
    log = Log(client, environ["LOG_TABLE"], for_each=ThreadPoolExecutor(_THREADS).map)
    return Sequencer(EventsTable(client, environ["TABLE"]), log, on_page)


@_metrics.log_metrics
@_logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: Any) -> None:
    with time_limit(context.get_remaining_time_in_millis() / 1000 - _MARGIN):
        sequence(_sequencer(), event)


def sequence(sequencer: Sequencer, event: Mapping[str, Any]) -> None:
    """Meet the doorbells of `event`, which comes from the stream ("Records") or from the sweep ("doorbells").

    Raises:
        UnmetDoorbells: for those that stay unmet, when all others have been met.
    """
    rung = doorbells.from_stream(event["Records"]) if "Records" in event else doorbells.from_json(event["doorbells"])
    if unmet := sequencer.sequence(rung):
        raise UnmetDoorbells(f"look in the events table at {doorbells.to_json(unmet)}")


def _observe(page: Sequence[StoredEvent]) -> None:
    lag = time.time() - ksuids.seconds_of(page[0].event_id)
    _metrics.add_metric("EventsSequenced", MetricUnit.Count, len(page))
    _metrics.add_metric("SequencingLag", MetricUnit.Milliseconds, max(0.0, lag * 1000))
    _logger.info("page written", extra={"events": len(page), "lagSeconds": round(lag, 3)})


@cache
def _sequencer() -> Sequencer:
    return from_environment(os.environ, _observe)

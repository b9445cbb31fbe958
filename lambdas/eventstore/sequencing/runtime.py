"""The Lambdas behind the log: how a pattern's own doorbells wake the sequencer and the sweep.

A pattern brings what differs: how its sequencer is told of doorbells, and how its sweep rings. Here is the rest:
clients from the environment, the invocation's time limit, structured logs without payloads, and metrics.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.eventstore import aws, ksuids
from lambdas.eventstore.dynamodb.table import EventsTable
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.retry import invocation, time_limit
from lambdas.eventstore.sequencing.doorbells import Doorbells
from lambdas.eventstore.sequencing.log import Log
from lambdas.eventstore.sequencing.sequencer import OnPage, Sequencer
from lambdas.eventstore.sequencing.sweep import sweep

logger = Logger()
metrics = Metrics()

_THREADS = 10
"""As many as an SDK client keeps connections."""

_MARGIN = 1.0
"""Seconds of the invocation kept back for raising, answering and logging."""

Event = Mapping[str, Any]
Answer = TypeVar("Answer")


def function(work: Callable[[Event], Answer]) -> Callable[[Event, Any], Answer]:
    """A Lambda handler that does `work` on each event, within the time that the invocation has."""

    @metrics.log_metrics
    @logger.inject_lambda_context(clear_state=True)
    def handler(event: Event, context: Any) -> Answer:
        seconds = context.get_remaining_time_in_millis() / 1000 - _MARGIN
        with invocation(seconds + _MARGIN / 2), time_limit(seconds):
            return work(event)

    return handler


def sequencer(environ: Mapping[str, str], on_page: OnPage = lambda page: None) -> Sequencer:
    """The sequencer that the Lambda's environment describes: TABLE, of the events, and LOG_TABLE."""
    client = aws.client("dynamodb")
    log = Log(client, environ["LOG_TABLE"], for_each=ThreadPoolExecutor(_THREADS).map)
    return Sequencer(EventsTable(client, environ["TABLE"]), log, on_page)


def observe(page: Sequence[StoredEvent]) -> None:
    """Metrics and a log line of a page that the sequencer has written."""
    lag = time.time() - ksuids.seconds_of(page[0].event_id)
    metrics.add_metric("EventsSequenced", MetricUnit.Count, len(page))
    metrics.add_metric("SequencingLag", MetricUnit.Milliseconds, max(0.0, lag * 1000))
    logger.info("page written", extra={"events": len(page), "lagSeconds": round(lag, 3)})


def sweeper(environ: Mapping[str, str], ring: Callable[[Doorbells], None]) -> Callable[[], int]:
    """The sweep that the Lambda's environment describes; it answers with how many aggregates were behind.

    TABLE, of the events, LOG_TABLE, SWEEP_EVENTS (looked at in a run), SETTLE_SECONDS.
    """
    client = aws.client("dynamodb")
    events, log = EventsTable(client, environ["TABLE"]), Log(client, environ["LOG_TABLE"])

    def run() -> int:
        settled = ksuids.first_of(time.time() - int(environ["SETTLE_SECONDS"]))
        behind = sweep(events, log, ring, limit=int(environ["SWEEP_EVENTS"]), settled=settled)
        metrics.add_metric("Stragglers", MetricUnit.Count, behind)
        logger.info("swept", extra={"stragglers": behind})
        return behind

    return run

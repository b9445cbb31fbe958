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
from lambdas.eventstore.retry import OutOfTime, invocation, time_limit
from lambdas.eventstore.sequencing.doorbells import Doorbells
from lambdas.eventstore.sequencing.failures import Failures, SetAside
from lambdas.eventstore.sequencing.log import Log
from lambdas.eventstore.sequencing.sequencer import OnPage, Sequencer
from lambdas.eventstore.sequencing.sweep import STREAM_SECONDS, Bounds, Ring, redrive, sweep

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


def set_aside(environ: Mapping[str, str]) -> SetAside:
    """Puts into the queue that the Lambda's environment describes, FAILURES_URL, and counts what it puts there."""
    failures = Failures.from_environment(environ)

    def put(unmet: Doorbells, others: Sequence[str]) -> None:
        if unmet or others:
            failures.set_aside(unmet, others)
            metrics.add_metric("SetAside", MetricUnit.Count, len(unmet) + len(others))
            logger.error("set aside", extra={"unmet": len(unmet), "notDoorbells": len(others)})

    return put


def sweeper(environ: Mapping[str, str], ring: Ring) -> Callable[[], int]:
    """The sweep that the Lambda's environment describes; it answers with how many aggregates the pass found behind.

    TABLE, of the events, LOG_TABLE, FAILURES_URL, SETTLE_SECONDS, and SWEEP_EVENTS and SWEEP_MEGABYTES of a run.
    """
    client = aws.client("dynamodb")
    events, log = EventsTable(client, environ["TABLE"]), Log(client, environ["LOG_TABLE"])
    failures, aside = Failures.from_environment(environ), set_aside(environ)
    looked_at, megabytes = int(environ["SWEEP_EVENTS"]), int(environ["SWEEP_MEGABYTES"])

    def run() -> int:
        now = time.time()
        settled = ksuids.first_of(now - int(environ["SETTLE_SECONDS"]))
        bounds = Bounds(looked_at, megabytes, settled, lost=ksuids.first_of(now - STREAM_SECONDS))
        try:
            known = redrive(failures, log, ring)
            behind = sweep(events, log, ring, aside, bounds, known)
        except OutOfTime as failure:
            # A backlog: the sequencer is at work. What this run has not done, the next one begins with.
            metrics.add_metric("SweepsCutShort", MetricUnit.Count, 1)
            logger.warning("cut short", extra={"reason": str(failure)})
            return 0
        metrics.add_metric("Stragglers", MetricUnit.Count, behind)
        logger.info("swept", extra={"stragglers": behind, "setAside": len(known.aggregates) + len(known.others)})
        return behind

    return run

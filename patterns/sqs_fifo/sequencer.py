"""The sequencer behind the queue: orders all events in the log.

One message group lets one run at a time; what keeps two from harm, should there be two, is the log itself. Fails: when
a message cannot be met (it is not doorbells, or the events are not there), all others of the batch are met, and it and
all behind it stay in the queue, to be tried again at once and at last to become dead letters. An AWS service that
cannot be reached fails the whole batch, which then waits for its visibility timeout.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore import aws, doorbells, ksuids
from lambdas.eventstore.doorbells import Doorbells
from lambdas.eventstore.dynamodb import EventsTable
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.log import Log
from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencer import OnPage, Sequencer
from patterns.sqs_fifo.queue import Queue

_logger = Logger()
_metrics = Metrics()

_THREADS = 10
"""As many as an SDK client keeps connections."""

_MARGIN = 1.0
"""Seconds of the invocation kept back for answering and logging."""

Message = Mapping[str, Any]


def from_environment(environ: Mapping[str, str], on_page: OnPage = lambda page: None) -> Sequencer:
    """The sequencer that the Lambda's environment describes: TABLE, of the events, and LOG_TABLE."""
    client = aws.client("dynamodb")
    log = Log(client, environ["LOG_TABLE"], for_each=ThreadPoolExecutor(_THREADS).map)
    return Sequencer(EventsTable(client, environ["TABLE"]), log, on_page)


@_metrics.log_metrics
@_logger.inject_lambda_context(clear_state=True)
def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    with time_limit(context.get_remaining_time_in_millis() / 1000 - _MARGIN):
        failed = sequence(_sequencer(), event["Records"])
    if failed:
        _logger.error("messages cannot be met", extra={"first": failed[0]["messageId"], "messages": len(failed)})
        _metrics.add_metric("MessagesFailed", MetricUnit.Count, len(failed))
        release(_queue(), failed)
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in failed]}


def sequence(sequencer: Sequencer, messages: Sequence[Message]) -> Sequence[Message]:
    """Meet the doorbells of all messages; answer with the first that stays unmet and all behind it.

    More would break the queue's order, fewer would lose what they tell (dg/services-sqs-errorhandling).
    """
    rung = [_doorbells(message) for message in messages]
    unmet = sequencer.sequence(doorbells.of(pointer for bells in rung if bells for pointer in bells.items()))
    for index, bells in enumerate(rung):
        if bells is None or (bells.keys() & unmet and sequencer.sequence(bells)):
            return messages[index:]
    return []


def release(queue: Queue, messages: Sequence[Message]) -> None:
    """Have messages that cannot be met tried again at once, so that they soon are dead letters and hold up nothing.

    A message that cannot be released waits for its visibility timeout.
    """
    for message in messages:
        try:
            queue.release(message["receiptHandle"])
        except (BotoCoreError, ClientError):
            _logger.warning("message not released", exc_info=True)


def _doorbells(message: Message) -> Doorbells | None:
    try:
        return doorbells.from_json(json.loads(message["body"]))
    except (KeyError, TypeError, ValueError):
        return None


def _observe(page: Sequence[StoredEvent]) -> None:
    lag = time.time() - ksuids.seconds_of(page[0].event_id)
    _metrics.add_metric("EventsSequenced", MetricUnit.Count, len(page))
    _metrics.add_metric("SequencingLag", MetricUnit.Milliseconds, max(0.0, lag * 1000))
    _logger.info("page written", extra={"events": len(page), "lagSeconds": round(lag, 3)})


@cache
def _sequencer() -> Sequencer:
    return from_environment(os.environ, _observe)


@cache
def _queue() -> Queue:
    return Queue.from_environment(os.environ)

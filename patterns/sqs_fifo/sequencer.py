"""The sequencer behind the queue: orders all events in the log.

One message group lets one run at a time; what keeps two from harm, should there be two, is the log itself. Fails: when
a message cannot be met (it is not doorbells, or the events are not there), all others of the batch are met, and it and
all behind it stay in the queue, to be tried again at once and at last to become dead letters. An AWS service that
cannot be reached fails the whole batch, which then waits for its visibility timeout.
"""

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore.sequencing import doorbells, runtime
from lambdas.eventstore.sequencing.doorbells import Doorbells
from lambdas.eventstore.sequencing.sequencer import Sequencer

from .queue import Queue

Message = Mapping[str, Any]


@runtime.function
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    failed = sequence(_sequencer(), event["Records"])
    if failed:
        first = {"first": failed[0]["messageId"], "messages": len(failed)}
        runtime.logger.error("messages cannot be met", extra=first)
        runtime.metrics.add_metric("MessagesFailed", MetricUnit.Count, len(failed))
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
            runtime.logger.warning("message not released", exc_info=True)


def _doorbells(message: Message) -> Doorbells | None:
    try:
        return doorbells.from_json(json.loads(message["body"]))
    except (KeyError, TypeError, ValueError):
        return None


@cache
def _sequencer() -> Sequencer:
    return runtime.sequencer(os.environ, runtime.observe)


@cache
def _queue() -> Queue:
    return Queue.from_environment(os.environ)

"""The sequencer behind the queue: orders all events in the log.

One message group lets one run at a time; what keeps two from harm, should there be two, is the log itself. Fails: AWS
out of reach is raised, and the batch waits for its visibility timeout, as often as it takes. A doorbell that cannot be
met, and what is none, is set aside in the failures queue; all others are met. Messages for which there was no time
stay in the queue, and can be received again at once.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore.sequencing import doorbells, runtime
from lambdas.eventstore.sequencing.failures import SetAside
from lambdas.eventstore.sequencing.sequencer import Sequencer

from .queue import Queue

Message = Mapping[str, Any]


@runtime.function
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    postponed = sequence(_sequencer(), _set_aside(), event["Records"])
    if postponed:
        runtime.logger.warning("no time for all messages", extra={"postponed": len(postponed)})
        release(_queue(), postponed)
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in postponed]}


def sequence(sequencer: Sequencer, set_aside: SetAside, messages: Sequence[Message]) -> Sequence[Message]:
    """Meet or set aside the doorbells of all messages; answer with the first that there was no time for and all behind.

    More would break the queue's order, fewer would lose what they tell (dg/services-sqs-errorhandling).
    """
    heard = [doorbells.from_text(message["body"]) for message in messages]
    outcome = sequencer.sequence(doorbells.of(pointer for it in heard for pointer in it.doorbells.items()))
    set_aside(outcome.unmet, [other for it in heard for other in it.others])
    for index, it in enumerate(heard):
        if it.doorbells.keys() & outcome.postponed:
            return messages[index:]
    return []


def release(queue: Queue, messages: Sequence[Message]) -> None:
    """Have messages received again at once, and not only after their visibility timeout.

    A message that cannot be released waits for that.
    """
    for message in messages:
        try:
            queue.release(message["receiptHandle"])
        except (BotoCoreError, ClientError):
            runtime.logger.warning("message not released", exc_info=True)


@cache
def _sequencer() -> Sequencer:
    return runtime.sequencer(os.environ, runtime.observe)


@cache
def _queue() -> Queue:
    return Queue.from_environment(os.environ)


@cache
def _set_aside() -> SetAside:
    return runtime.set_aside(os.environ)

"""The relay: carries doorbells from the events table's stream into the queue, one message for a batch of records.

Guarantees: at least one message tells of each record. Pointers only, never events. All messages are of one group, so
that one sequencer at a time hears of them; deduplication saves the queue a repeated batch, and nothing relies on it.
Fails: a batch that cannot be sent is raised, for Lambda to retry; what is lost in the end, the sweep finds.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from lambdas.eventstore.sequencing import doorbells, runtime

from .queue import Queue


@runtime.function
def handler(event: Mapping[str, Any]) -> None:
    relay(_queue(), event)
    runtime.metrics.add_metric("RecordsRelayed", MetricUnit.Count, len(event["Records"]))


def relay(queue: Queue, event: Mapping[str, Any]) -> None:
    for batch in doorbells.batches(doorbells.from_stream(event["Records"])):
        queue.send(batch)


@cache
def _queue() -> Queue:
    return Queue.from_environment(os.environ)

"""The relay: carries doorbells from the events table's stream into the queue, one message for a batch of records.

Guarantees: at least one message tells of each record. Pointers only, never events. All messages are of one group, so
that one sequencer at a time hears of them; deduplication saves the queue a repeated batch, and nothing relies on it.
Fails: AWS out of reach is raised, for Lambda to try the batch again, as long as the stream keeps it. The key of an item
that cannot be an event is set aside in the failures queue.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit

from lambdas.eventstore.sequencing import doorbells, runtime
from lambdas.eventstore.sequencing.failures import SetAside

from .queue import Queue


@runtime.function
def handler(event: Mapping[str, Any]) -> None:
    relay(_queue(), _set_aside(), event)
    runtime.metrics.add_metric("RecordsRelayed", MetricUnit.Count, len(event["Records"]))


def relay(queue: Queue, set_aside: SetAside, event: Mapping[str, Any]) -> None:
    heard = doorbells.from_stream(event["Records"])
    for batch in doorbells.batches(heard.doorbells):
        queue.send(batch)
    set_aside({}, heard.others)


@cache
def _queue() -> Queue:
    return Queue.from_environment(os.environ)


@cache
def _set_aside() -> SetAside:
    return runtime.set_aside(os.environ)

"""The single writer: woken by the events table's stream, and by the sweep, it orders all events in the log.

Reserved concurrency 1 keeps sequencers from getting in each other's way; what keeps them from harm is the log itself.
Fails: a batch with a doorbell that cannot be met (all others in it have been) is raised, for Lambda to bisect, to retry
a few times and to send to the failures queue.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.eventstore.sequencing import doorbells, runtime
from lambdas.eventstore.sequencing.sequencer import Sequencer


class UnmetDoorbells(Exception):
    """Events that were heard of are absent, or are not events. Their aggregates wait; the log goes on without them."""


@runtime.function
def handler(event: Mapping[str, Any]) -> None:
    sequence(_sequencer(), event)


def sequence(sequencer: Sequencer, event: Mapping[str, Any]) -> None:
    """Meet the doorbells of `event`, which comes from the stream ("Records") or from the sweep ("doorbells").

    Raises:
        UnmetDoorbells: for those that stay unmet, when all others have been met.
    """
    rung = doorbells.from_stream(event["Records"]) if "Records" in event else doorbells.from_json(event["doorbells"])
    if unmet := sequencer.sequence(rung):
        raise UnmetDoorbells(f"look in the events table at {doorbells.to_json(unmet)}")


@cache
def _sequencer() -> Sequencer:
    return runtime.sequencer(os.environ, runtime.observe)

"""The single writer: woken by the events table's stream, and by the sweep, it orders all events in the log.

Reserved concurrency 1 keeps sequencers from getting in each other's way; what keeps them from harm is the log itself.
Fails: AWS out of reach is raised, for Lambda to try the batch again, as long as the stream keeps it. A doorbell that
cannot be met, and what is none, is set aside in the failures queue; all others of its batch are met. A batch that takes
more time than there is, is reported from the first record on that is not done with.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from lambdas.eventstore.sequencing import doorbells, runtime
from lambdas.eventstore.sequencing.failures import SetAside
from lambdas.eventstore.sequencing.sequencer import Sequencer


@runtime.function
def handler(event: Mapping[str, Any]) -> dict[str, Any]:
    return sequence(_sequencer(), _set_aside(), event)


def sequence(sequencer: Sequencer, set_aside: SetAside, event: Mapping[str, Any]) -> dict[str, Any]:
    """Meet or set aside the doorbells of `event`, which comes from the stream ("Records") or from the sweep.

    Answers with what there was no time for: to the stream, the first such record, and Lambda tries it and all behind it
    again (dg/services-ddb-batchfailurereporting); to the sweep, the doorbells.
    """
    records = event.get("Records", [])
    heard = doorbells.from_stream(records) if records else doorbells.from_json(event.get("doorbells"))
    outcome = sequencer.sequence(heard.doorbells)
    set_aside(outcome.unmet, heard.others)
    if not records:
        return {"postponed": doorbells.to_json(outcome.postponed)}
    postponed = (it["dynamodb"] for it in records if it["dynamodb"]["Keys"]["aggregateId"]["S"] in outcome.postponed)
    first = next(postponed, None)
    return {"batchItemFailures": [{"itemIdentifier": first["SequenceNumber"]}] if first else []}


@cache
def _sequencer() -> Sequencer:
    return runtime.sequencer(os.environ, runtime.observe)


@cache
def _set_aside() -> SetAside:
    return runtime.set_aside(os.environ)

"""The Lambda for commands: `commands` on the store, in this process. Then it wakes the projections."""

import json
import os
import random
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from examples.accounts.commands import Commands
from examples.accounts.snapshots import SnapshotTable
from lambdas.eventstore import aws
from lambdas.eventstore.embedded import store_of_outputs
from lambdas.eventstore.retry import invocation, time_limit
from lambdas.projections.runtime import Waker

_ANSWER_SECONDS = 1.0
"""Kept back from the invocation's time, for the wake-up, the answer and the log."""

_logger, _metrics = Logger(), Metrics()
_snapshots = (
    SnapshotTable(aws.client("dynamodb"), os.environ["SNAPSHOTS"], int(os.environ["SNAPSHOT_EVERY"]))
    if "SNAPSHOTS" in os.environ
    else None
)
_commands = Commands(store_of_outputs(json.loads(os.environ["STORE"])), snapshots=_snapshots)
_waker = Waker(json.loads(os.environ["PROJECTORS"]))


@_metrics.log_metrics
@_logger.inject_lambda_context(clear_state=True)
def handler(request: Any, context: Any) -> dict[str, Any]:
    random.seed()
    seconds = context.get_remaining_time_in_millis() / 1000 - _ANSWER_SECONDS
    with invocation(seconds + _ANSWER_SECONDS / 2), time_limit(seconds):
        answer = _commands.answer(request)
    error = answer.get("error", {})
    _metrics.add_metric("CommandsRefused" if error else "CommandsExecuted", MetricUnit.Count, 1)
    _logger.info("answered", extra={"code": error.get("code"), "reason": error.get("reason")})
    if not error:
        _waker.wake(until=answer["events"][-1]["eventId"])
    return answer

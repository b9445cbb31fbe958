"""A Lambda that keeps a projection up to date: woken by a schedule, or by a function that has stored an event.

What wakes it says nothing about events, since each run reads the log from the checkpoint on: a wake-up that is lost,
repeated or meant for another costs a run, and nothing else. A run ends when it has caught up, or with the time of its
invocation, and the schedule starts the next one. (It does not invoke itself: Lambda stops functions that do after 16
rounds, docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html, read 2026-11.)

The event of an invocation may say more:
- `{"until": "<event id>"}` keeps looking for that event for up to `UNTIL_SECONDS`, since some stores show one only
  later; and `WAKE_SECONDS` longer for those that follow it, which then need not wake anybody.
- `{"command": "skip"}` or `{"command": "resume"}` lets a projection that stopped go on, without or with the event at
  which it stopped.
- `{"command": "rebuild"}` begins a rebuild, or goes on with one, for the time of the invocation; until `done`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from math import inf
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore import aws
from lambdas.eventstore.embedded import store_of_outputs
from lambdas.eventstore.retry import invocation, time_limit
from lambdas.projections.projection import Projection
from lambdas.projections.read_model import RUNNING, STOPPED, ReadModel
from lambdas.projections.rebuild import rebuild
from lambdas.projections.runner import Deliver, Outdated, Progress, Runner

UNTIL_SECONDS = 5.0
WAKE_SECONDS = 3.0

_POLL_SECONDS = 0.5
_MARGIN = 1.0
"""Seconds of the invocation kept back for raising, answering and logging."""

_logger = Logger()
_metrics = Metrics()

Event = Mapping[str, Any]
Answer = dict[str, Any]


def function(projection: Projection, environ: Mapping[str, str]) -> Callable[[Any, Any], Answer]:
    """The handler. STORE is a pattern's output `store` as JSON, READ_MODEL the name of the projection's table."""
    return handler(runner_of(projection, environ))


def runner_of(projection: Projection, environ: Mapping[str, str], deliver: Deliver = lambda events: None) -> Runner:
    """The runner that the environment describes, as `function` has it."""
    store = json.loads(environ["STORE"])
    model = ReadModel(aws.client("dynamodb"), environ["READ_MODEL"])
    return Runner(store_of_outputs(store), model, projection, late_seconds=store["late_seconds"], deliver=deliver)


class Waker:
    """Asks functions of projections to run now, `WAKE_SECONDS` after it last did at the earliest: they run that long.

    One that cannot be asked is only logged, since the schedule asks too.
    """

    def __init__(self, functions: Sequence[str]) -> None:
        self._functions = functions
        self._last = -inf

    def wake(self, until: str = "") -> None:
        """`until` is the id of an event that they are to wait for."""
        if time.monotonic() - self._last < WAKE_SECONDS:
            return
        self._last = time.monotonic()
        for name in self._functions:
            try:
                _lambda().invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"until": until}))
            except (BotoCoreError, ClientError) as error:
                _logger.warning("not woken", extra={"function": name, "reason": str(error)})


@cache
def _lambda() -> Any:
    return aws.client("lambda")


def handler(runner: Runner) -> Callable[[Any, Any], Answer]:
    @_metrics.log_metrics
    @_logger.inject_lambda_context(clear_state=True)
    def handle(event: Any, context: Any) -> Answer:
        seconds = context.get_remaining_time_in_millis() / 1000 - _MARGIN
        with invocation(seconds + _MARGIN / 2), time_limit(seconds):
            return answer(runner, event if isinstance(event, dict) else {})

    return handle


def answer(runner: Runner, event: Event) -> Answer:
    """What the Lambda does and answers: what the run did, with the same numbers as its metrics."""
    _metrics.add_dimension("projection", runner.projection.name)
    if (command := event.get("command")) in ("skip", "resume"):
        went_on = runner.go_on(skip=command == "skip")
        _logger.info(command, extra={"projection": runner.projection.name, "wentOn": went_on})
    try:
        if command == "rebuild":
            return {"projection": runner.projection.name, **asdict(rebuild(runner))}
        progress = _run(runner, event.get("until", ""))
    except Outdated as outdated:
        _metrics.add_metric("ProjectionsStopped", MetricUnit.Count, 1)
        _logger.error("outdated", extra={"projection": runner.projection.name, "reason": str(outdated)})
        return {"projection": runner.projection.name, "status": "outdated", "reason": str(outdated)}
    _observe(progress, runner.projection.name)
    return {
        "projection": runner.projection.name,
        "status": progress.status,
        "applied": progress.applied,
        "caughtUp": progress.caught_up,
        "lagEvents": progress.lag_events,
        "lagSeconds": round(progress.lag_seconds, 3),
        "stop": progress.stop,
    }


def _run(runner: Runner, until: str) -> Progress:
    """Event ids rise with time: once a later one was read, the one that is waited for is behind, or comes by itself."""
    deadline = time.monotonic() + (UNTIL_SECONDS if until else 0)
    seen, progress = False, runner.run()
    while progress.status == RUNNING and time.monotonic() < deadline:
        if progress.newest >= until and not seen:
            seen, deadline = True, time.monotonic() + WAKE_SECONDS
        time.sleep(_POLL_SECONDS)
        further = runner.run()
        further.applied += progress.applied
        further.lag_events += progress.lag_events
        further.lag_seconds = max(further.lag_seconds, progress.lag_seconds)
        progress = further
    return progress


def _observe(progress: Progress, name: str) -> None:
    _metrics.add_metric("EventsProjected", MetricUnit.Count, progress.applied)
    _metrics.add_metric("ProjectionLag", MetricUnit.Seconds, max(0.0, progress.lag_seconds))
    _metrics.add_metric("ProjectionLagEvents", MetricUnit.Count, progress.lag_events)
    _metrics.add_metric("ProjectionsStopped", MetricUnit.Count, int(progress.status == STOPPED))
    extra = {"projection": name, "applied": progress.applied, "caughtUp": progress.caught_up}
    if progress.stop:
        # The reason may quote the event; where it is says enough to look.
        where = {key: value for key, value in progress.stop.items() if key != "reason"}
        _logger.error("stopped", extra={**extra, "stop": where})
    else:
        _logger.info("projected", extra=extra)

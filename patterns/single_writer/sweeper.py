"""The scheduled sweep: a Lambda of its own, so that looking never takes the single writer's one execution.

It may read both tables and write nothing but its cursor; for what it finds it calls the sequencer and waits for the
answer. While the sequencer is busy with the stream, the sweep tries again, and at last leaves it to its next run:
nothing waits in a queue of Lambda's own, to expire there.
"""

import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.eventstore import aws
from lambdas.eventstore.retry import OutOfTime, Retries, seconds_left
from lambdas.eventstore.sequencing import doorbells, runtime
from lambdas.eventstore.sequencing.doorbells import Doorbells

RING_SECONDS = 65.0
"""More than the sequencer may run. Without so much time left nobody is rung for."""

_PATIENT = Config(
    read_timeout=RING_SECONDS,
    connect_timeout=1,
    # One that is lost is rung for again by the next run; two at once would refuse each other.
    retries={"mode": "standard", "total_max_attempts": 1},
)


class SequencerFailed(Exception):
    """The sequencer was called by the sweep, and has raised."""


@runtime.function
def handler(event: Mapping[str, Any]) -> None:
    _sweep()()


def from_environment(environ: Mapping[str, str]) -> Callable[[], int]:
    """The sweep that the Lambda's environment describes: `runtime.sweeper`, and SEQUENCER, the function's name."""
    client = aws.client("lambda", _PATIENT)

    def ring(stragglers: Doorbells) -> None:
        retries = Retries()
        while True:
            if seconds_left() < RING_SECONDS:
                raise OutOfTime("no time is left to wait for the sequencer")
            if answer := _call(client, environ["SEQUENCER"], stragglers):
                stragglers = doorbells.from_json(answer["postponed"]).doorbells
                if not stragglers:
                    return
            else:
                retries.pause("the sequencer is busy")

    return runtime.sweeper(environ, ring)


def _call(client: Any, sequencer: str, rung: Doorbells) -> dict[str, Any] | None:
    """The sequencer's answer; None while its one execution is taken."""
    payload = json.dumps({"doorbells": doorbells.to_json(rung)})
    try:
        response = client.invoke(FunctionName=sequencer, InvocationType="RequestResponse", Payload=payload)
    except ClientError as error:
        if aws.error_code(error) == "TooManyRequestsException":
            return None
        raise
    answer = response["Payload"].read()
    if "FunctionError" in response:
        raise SequencerFailed(answer.decode(errors="replace")[:500])
    answered: dict[str, Any] = json.loads(answer)
    return answered


@cache
def _sweep() -> Callable[[], int]:
    return from_environment(os.environ)

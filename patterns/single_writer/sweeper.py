"""The scheduled sweep: a Lambda of its own, so that looking never takes the single writer's one execution.

It may read both tables and write nothing but its cursor; what it finds behind, it rings for by invoking the sequencer
asynchronously. A ring that is lost is rung again by the next pass.
"""

import json
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from lambdas.eventstore import aws
from lambdas.eventstore.sequencing import doorbells, runtime
from lambdas.eventstore.sequencing.doorbells import Doorbells


@runtime.function
def handler(event: Mapping[str, Any]) -> None:
    _sweep()()


def from_environment(environ: Mapping[str, str]) -> Callable[[], int]:
    """The sweep that the Lambda's environment describes: `runtime.sweeper`, and SEQUENCER, the function's name."""
    client = aws.client("lambda")

    def ring(stragglers: Doorbells) -> None:
        payload = json.dumps({"doorbells": doorbells.to_json(stragglers)})
        client.invoke(FunctionName=environ["SEQUENCER"], InvocationType="Event", Payload=payload)

    return runtime.sweeper(environ, ring)


@cache
def _sweep() -> Callable[[], int]:
    return from_environment(os.environ)

"""The suite's `single_writer` stores: their stream is read, and their sequencer run, in this process."""

from collections.abc import Sequence
from typing import ClassVar

from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing import runtime
from lambdas.eventstore.sequencing.doorbells import Doorbells
from testkit import harness
from testkit.harness import Environment
from testkit.streams import Stream

from .. import sequencer

_SECONDS = 60.0


class Harness(harness.Harness):
    variables: ClassVar = {"sweep": "{ settle_seconds = 0 }"}

    def fresh(self) -> Environment:
        environment = super().fresh()
        self._stream = Stream(environment["TABLE"])
        return environment

    def discard(self, environment: Environment) -> None:
        super().discard({name: value for name, value in environment.items() if name in self.deployed})

    def settle(self, environment: Environment) -> None:
        running = runtime.sequencer(environment)
        with time_limit(_SECONDS):
            for records in self._stream.batches():
                assert sequencer.sequence(running, nothing, {"Records": records}) == {"batchItemFailures": []}


def nothing(unmet: Doorbells, others: Sequence[str]) -> None:
    """For a store where nothing should be set aside."""
    assert (unmet, list(others)) == ({}, [])

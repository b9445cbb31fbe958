"""The suite's `single_writer` stores: their stream is read, and their sequencer run, in this process."""

from typing import ClassVar

from lambdas.eventstore.retry import time_limit
from patterns.single_writer import sequencer
from tests.support import harness
from tests.support.harness import Environment
from tests.support.streams import Stream

_SECONDS = 60.0


class Harness(harness.Harness):
    variables: ClassVar = {"sweep_settle_seconds": "0"}

    def fresh(self) -> Environment:
        environment = super().fresh()
        self._stream = Stream(environment["TABLE"])
        return environment

    def settle(self, environment: Environment) -> None:
        running = sequencer.from_environment(environment)
        with time_limit(_SECONDS):
            for records in self._stream.batches():
                sequencer.sequence(running, {"Records": records})

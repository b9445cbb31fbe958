"""The suite's `single_writer` stores: their stream is read, and their sequencer run, in this process."""

from typing import ClassVar

from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing import runtime
from testkit import harness
from testkit.harness import Environment
from testkit.sequenced import nothing
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

    def drain(self, environment: Environment) -> None:
        running = runtime.sequencer(environment)
        with time_limit(_SECONDS):
            for records in self._stream.batches():
                assert sequencer.sequence(running, nothing, {"Records": records}) == {"batchItemFailures": []}

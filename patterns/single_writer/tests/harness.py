"""The suite's `single_writer` stores: their stream is read, and their sequencer run, in this process."""

from patterns.single_writer import sequencer
from tests.support import harness
from tests.support.examples import Event
from tests.support.harness import Environment
from tests.support.streams import Stream


class Harness(harness.Harness):
    def fresh(self) -> Environment:
        environment = super().fresh()
        self._stream = Stream(environment["EVENTS_TABLE"])
        return environment

    def settle(self, environment: Environment) -> None:
        running = sequencer.from_environment(environment)
        for records in self._stream.batches():
            sequencer.sequence(running, {"Records": records})

    def stored(self, environment: Environment) -> list[Event]:
        return super().stored({"TABLE": environment["EVENTS_TABLE"]})

    def tamper(self, environment: Environment, aggregate_id: str, version: int) -> None:
        super().tamper({"TABLE": environment["EVENTS_TABLE"]}, aggregate_id, version)

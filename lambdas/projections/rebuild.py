"""A projection is built anew beside the one that queries read, which it then replaces in one write.

All state is in the table, so that a rebuild that was cut short, or killed anywhere, is continued by starting it again.
Before the switch the live generation is frozen, for as long as it takes the new one to catch up for the last time: so
the new one knows every event that a query has seen. Costs what projecting all events costs, and a scan of the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lambdas.eventstore.retry import Retries
from lambdas.projections.read_model import FROZEN, REMOVED, Generations
from lambdas.projections.runner import Progress, Runner


@dataclass(frozen=True)
class Rebuilt:
    """How far a rebuild is: whether it is `done`, of which generation, and how many events that has."""

    done: bool
    generation: int
    applied: int
    status: str
    stop: dict[str, object] | None = None


def rebuild(runner: Runner) -> Rebuilt:
    """Goes on with a rebuild, or begins one, for as long as the time limit around this allows (`retry.time_limit`)."""
    generations = _begun(runner)
    building = generations.building
    assert building
    for before_the_switch in (True, False):
        progress = runner.run(building)
        if not progress.caught_up:
            return _so_far(runner, building, progress)
        if before_the_switch:
            runner.model.set_status(generations.live, FROZEN, runner.projection.version)
    switched = replace(generations, live=building, building=None, removing=generations.live)
    if not runner.model.set_generations(generations, switched):
        return _so_far(runner, building, progress)
    _remove_old(runner)
    return replace(_so_far(runner, building, progress), done=True)


def _begun(runner: Runner) -> Generations:
    """What an earlier rebuild has left is removed first."""
    _remove_old(runner)
    retries = Retries()
    while not (generations := runner.model.generations()).building:
        if not runner.model.set_generations(generations, replace(generations, building=generations.live + 1)):
            retries.pause("other rebuilds keep changing the generations")
    return generations


def _remove_old(runner: Runner) -> None:
    generations = runner.model.generations()
    if generations.removing:
        runner.model.set_status(generations.removing, REMOVED, runner.projection.version)
        runner.model.remove(generations.removing)
        runner.model.set_generations(generations, replace(generations, removing=None))


def _so_far(runner: Runner, generation: int, progress: Progress) -> Rebuilt:
    checkpoint = runner.model.checkpoint(generation)
    return Rebuilt(False, generation, checkpoint.applied if checkpoint else 0, progress.status, progress.stop)

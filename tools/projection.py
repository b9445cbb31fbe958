"""`python -m tools.projection PATTERN COMMAND PROJECTION [--target …]`: commands to a projection of a deployed sample.

`rebuild` builds it anew beside the one that queries read, and tells how far it is; interrupted, it is continued by
running it again. `skip` and `resume` let one that stopped at an event go on, behind that event or with it.
"""

import argparse
import json
import time

from tools import arguments, stores
from tools.console import Failure, UsageError, progress, result, run
from tools.discovery import select

COMMANDS = ("rebuild", "skip", "resume")


def main() -> None:
    parser = argparse.ArgumentParser(description="Send a command to a projection.")
    parser.add_argument("pattern", help="a folder under patterns/")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("projection")
    parser.add_argument("--target", default="local", help="local (default), localstack or aws")
    given = parser.parse_args()
    arguments.check_target(given.target)
    pattern, *others = select(given.pattern)
    if others:
        raise UsageError("One projection is commanded at a time: give PATTERN=… as one pattern.")
    with stores.deployed(pattern, given.target):
        sample = stores.sample(pattern, given.target)
        if not sample:
            raise Failure(f"No sample is on {pattern.name}: run make deploy PATTERN={pattern.name} SAMPLE=accounts")
        if given.projection not in sample.projections:
            valid = ", ".join(sample.projections)
            raise UsageError(f"There is no projection {given.projection!r}: give PROJECTION=… as one of {valid}.")
        if given.command == "rebuild":
            rebuild(sample, given.projection)
        else:
            answer = sample.projection(given.projection, {"command": given.command})
            result(json.dumps(answer))


def rebuild(sample: stores.Sample, projection: str) -> None:
    """One invocation after another, until it is done.

    Raises:
        Failure: the new read model stopped at an event.
    """
    began = time.monotonic()
    while True:
        answer = sample.projection(projection, {"command": "rebuild"})
        progress(f"{projection}: {answer['applied']:,} events after {time.monotonic() - began:.0f} s")
        if answer["done"]:
            progress(f"{projection}: generation {answer['generation']} is live")
            return
        if answer["stop"]:
            raise Failure(f"{projection} stopped at an event, and the old read model stays in use: {answer['stop']}")


if __name__ == "__main__":
    run(main)

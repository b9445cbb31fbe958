"""`python -m tools.verify PATTERN [--target …]`: whether the history of a store is the one that its log has signed.

Only a pattern whose sheet says `tamper_evident = true` can be verified; it brings the module `commands.verify`. Exit
status 0: all of it is. 1: something differs, and each difference is a line, the first of the log first.
"""

import os
from importlib import import_module
from itertools import islice

from botocore.exceptions import BotoCoreError, ClientError

from tools import arguments, targets
from tools.console import Failure, progress, result, run
from tools.discovery import Pattern
from tools.output import outputs

_SHOWN = 20


def main() -> None:
    patterns, target = arguments.parse("Verify the history of deployed patterns.")
    provable = [pattern for pattern in patterns if pattern.sheet["guarantees"]["tamper_evident"]]
    if not provable:
        names = ", ".join(pattern.name for pattern in patterns)
        raise Failure(f"{names} signs nothing that could be verified: its sheet has tamper_evident = false.")
    differ = [pattern.name for pattern in provable if not verify(pattern, target)]
    if differ:
        raise Failure(f"The history of {', '.join(differ)} is not the one that was signed: see above.")


def verify(pattern: Pattern, target_name: str) -> bool:
    """Whether nothing differs; what does is told."""
    offers = outputs(pattern, target_name)
    target = targets.reach(target_name)
    assert target, "a deployed pattern has a target"
    os.environ.clear()
    os.environ.update(target.environment)
    verification = import_module(f"patterns.{pattern.name}.commands.verify").Verification.of(
        offers, lambda line: progress(f"{pattern.name}: {line}")
    )
    try:
        differences = list(islice(verification.differences(), _SHOWN + 1))
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"{pattern.name} on {target_name} cannot be read: {error}") from None
    for difference in differences[:_SHOWN]:
        result(f"{pattern.name}: {difference}")
    if len(differences) > _SHOWN:
        result(f"{pattern.name}: and more")
    if not differences:
        result(f"{pattern.name}: {verification.summary()}")
    return not differences


if __name__ == "__main__":
    run(main)

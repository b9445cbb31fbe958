"""`python -m tools.output PATTERN [--target …]`: what is deployed, as one JSON object; for `all`, one by name."""

import json
import os
from typing import Any

from tools import arguments, backends, deployments, samples, targets, terraform
from tools.console import Failure, result, run
from tools.discovery import Pattern
from tools.workspaces import Workspace


def main() -> None:
    patterns, target = arguments.parse("Print what deployed patterns offer.")
    found = {pattern.name: outputs(pattern, target) for pattern in patterns}
    asked_for_one = len(patterns) == 1
    result(json.dumps(next(iter(found.values())) if asked_for_one else found, indent=2))


def outputs(pattern: Pattern, target: str) -> dict[str, Any]:
    """The outputs of a deployed pattern; a Failure if it is not deployed, or its local AWS is gone."""
    workspace = Workspace(pattern, target)
    backends.remember(workspace, os.environ)
    if workspace.shared and (there := targets.reach(target)):
        terraform.initialise(workspace, there)
    found = terraform.outputs(workspace)
    if not found or not _still_there(workspace):
        raise Failure(
            f"{pattern.name} is not deployed on {target}: run make deploy PATTERN={pattern.name} TARGET={target}"
        )
    return {**found, **samples.outputs(pattern, target)}


def _still_there(workspace: Workspace) -> bool:
    if workspace.target != "local":
        return True
    target = targets.reach(workspace.target)
    return target is not None and deployments.belongs(workspace, target)


if __name__ == "__main__":
    run(main)

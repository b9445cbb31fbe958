"""`python -m tools.deploy PATTERN [--target …]`: packages patterns and applies them; again, it changes nothing.

Interrupted, it is continued by running it again.
"""

import json
import os
import shlex
import time
from pathlib import Path
from typing import Any

from lambdas.eventstore.wire import OPERATIONS
from tools import (
    alarms,
    arguments,
    backends,
    deployments,
    literals,
    package,
    providers,
    reviews,
    samples,
    settings,
    targets,
    terraform,
)
from tools.console import Failure, progress, result, run
from tools.discovery import ROOT, Pattern
from tools.targets import Target
from tools.terraform import TerraformFailure
from tools.workspaces import Workspace

EXAMPLE = {
    "events": [
        {
            "aggregateId": "4a009cfd-5ed5-4561-b654-53d812691cf2",
            "aggregateVersion": 1,
            "eventType": "ACCOUNT_CREATED",
            "eventVersion": 1,
            "metadata": {"name": "Josh Armitage"},
        }
    ]
}


def main() -> None:
    patterns, name = arguments.parse("Deploy patterns.")
    providers.find_terraform()  # before anything is started
    sample = samples.wanted()
    if ignored := settings.ignored(os.environ):
        progress(
            f"{', '.join(ignored)}: not used. Settings are files: settings/{name}/<pattern>.tfvars", style="yellow"
        )
    for pattern in patterns:
        backends.remember(Workspace(pattern, name), os.environ)
    target = targets.connect(name)
    names = ", ".join(pattern.name for pattern in patterns)
    targets.consent(target, f"Deploy {names} there, at your cost?")
    for pattern in patterns:
        alarms.tell_of(Workspace(pattern, name), target, os.environ)
        if sample:
            alarms.tell_of(samples.workspace(sample, pattern, name), target, os.environ)
    deployments.each(patterns, lambda pattern: deploy(pattern, target))
    if sample:
        deployments.each(patterns, lambda pattern: samples.deploy(sample, pattern, target))
    for pattern in patterns:
        result(_summary(pattern, target, terraform.outputs(Workspace(pattern, target.name))))


def deploy(pattern: Pattern, target: Target, root: Path = ROOT) -> dict[str, Any]:
    """Packages and applies one pattern, and gives its outputs. The state is kept under `root`.

    On an account, nothing is made that would take over what is there, and nothing is lost that nobody agreed to lose.
    """
    began = time.monotonic()
    workspace = Workspace(pattern, target.name, root)
    literals.refuse(pattern)
    package.build(pattern)
    deployments.claim(workspace, target)
    settings.remember(workspace)
    try:
        terraform.apply(workspace, target, reviews.deploying(workspace, target))
    except TerraformFailure as failure:
        raise Failure(f"{failure}{_remedy(failure, target)}") from None
    progress(f"{pattern.name}: deployed in {time.monotonic() - began:.0f} s")
    return terraform.outputs(workspace)


EXISTS = frozenset(
    {
        *("DBClusterAlreadyExistsFault", "DBInstanceAlreadyExists", "DBParameterGroupAlreadyExists"),
        *("DBSubnetGroupAlreadyExists", "EntityAlreadyExists", "QueueNameExists", "ResourceAlreadyExistsException"),
        *("ResourceConflictException", "ResourceInUseException"),
    }
)
"""AWS's codes for: what you want to create is there."""


def _remedy(failure: TerraformFailure, target: Target) -> str:
    """For what a killed Terraform made and no state knows, where nothing else can have made it."""
    taken = any(it.code in EXISTS and it.operation.startswith("Create") for it in failure.refusals)
    if target.name == "local" and taken:
        return (
            ". A killed deployment left it there. To start afresh, which loses every event on the local AWS: make down,"
            " then deploy again"
        )
    return ""


def _summary(pattern: Pattern, target: Target, outputs: dict[str, Any]) -> str:
    functions = [f"  {operation:21} {outputs[operation]}" for operation in OPERATIONS]
    example, where = shlex.quote(json.dumps(EXAMPLE)), "" if target.name == "local" else f" TARGET={target.name}"
    call = f"make call PATTERN={pattern.name}{where} OPERATION=store_events JSON={example}"
    invoke = (
        f"aws lambda invoke --function-name {outputs['store_events']} --cli-binary-format raw-in-base64-out"
        f" --payload {example} /dev/stdout"
    )
    environment = ['  eval "$(make env)"'] if target.name == "local" else []
    heading = f"{pattern.name} is deployed on {target.name}:"
    with_cli = ["Or, with the AWS CLI in version 2:", *environment, f"  {invoke}"]
    return "\n".join([heading, *functions, "Call it:", f"  {call}", *with_cli, ""])


if __name__ == "__main__":
    run(main)

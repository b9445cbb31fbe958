"""`python -m tools.destroy PATTERN [--target …]`: removes all that deploying the patterns made."""

import os

from tools import arguments, backends, deployments, package, plans, reviews, samples, targets, terraform
from tools.console import progress, run
from tools.discovery import Pattern
from tools.targets import Target
from tools.workspaces import Workspace


def main() -> None:
    patterns, name = arguments.parse("Remove deployed patterns.")
    for pattern in patterns:
        backends.remember(Workspace(pattern, name), os.environ)
    deployed = [pattern for pattern in patterns if _may_be_deployed(Workspace(pattern, name))]
    for pattern in patterns:
        if pattern not in deployed:
            progress(f"{pattern.name}: not deployed on {name}")
    if deployed:
        _destroy_all(deployed, name)


def _may_be_deployed(workspace: Workspace) -> bool:
    return workspace.state.exists() or workspace.shared


def _destroy_all(patterns: list[Pattern], name: str) -> None:
    target = targets.reach(name)
    if target:
        names = ", ".join(pattern.name for pattern in patterns)
        targets.consent(target, f"Remove {names} there, with every event stored in it?")
    deployments.each(patterns, lambda pattern: destroy(pattern, name, target))


def destroy(pattern: Pattern, name: str, target: Target | None) -> None:
    workspace = Workspace(pattern, name)
    if target:
        deployments.refuse_other_account(workspace, target)
    if not target or not deployments.belongs(workspace, target):
        progress(f"{pattern.name}: the {name} AWS that it was deployed on is gone, and everything with it")
    else:
        package.build(pattern)  # Terraform reads the file even to remove the functions

        def review(plan: plans.Plan) -> None:
            reviews.refuse_protected(workspace, plan)
            samples.destroy(pattern, target)

        terraform.destroy(workspace, target, review)
        progress(f"{pattern.name}: removed")
    deployments.forget(workspace)


if __name__ == "__main__":
    run(main)

"""`python -m tools.destroy PATTERN [--target …]`: removes all that deploying the patterns made."""

from tools import arguments, deployments, package, samples, targets, terraform
from tools.console import Failure, progress, run
from tools.discovery import Pattern
from tools.targets import Target
from tools.terraform import Workspace


def main() -> None:
    patterns, name = arguments.parse("Remove deployed patterns.")
    deployed = [pattern for pattern in patterns if Workspace(pattern, name).state.exists()]
    for pattern in patterns:
        if pattern not in deployed:
            progress(f"{pattern.name}: not deployed on {name}")
    if deployed:
        _destroy_all(deployed, name)


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
        samples.destroy(pattern, target)
        package.build(pattern)  # Terraform reads the file even to remove the functions
        try:
            terraform.destroy(workspace, target.environment, target.variables)
        except Failure as failure:
            raise Failure(f"{failure}{_remedy(str(failure))}") from None
        progress(f"{pattern.name}: removed")
    deployments.forget(workspace)


def _remedy(failure: str) -> str:
    if "protect" not in failure.lower():
        return ""
    return ". To lift the protection, deploy with TF_VAR_deletion_protection=false first, then destroy with the same"


if __name__ == "__main__":
    run(main)

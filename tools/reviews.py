"""Reviews of plans before they are applied: nothing is taken over, lost unasked, or removed though it is protected."""

from tools import existing, plans, settings, targets, terraform
from tools.console import Failure
from tools.targets import Target
from tools.workspaces import Workspace


def deploying(workspace: Workspace, target: Target) -> terraform.Review | None:
    """The review of a deployment; none where all that is deployed ends with the target anyway."""

    def review(plan: plans.Plan) -> None:
        title, planned = workspace.pattern.name, plans.changes(plan)
        existing.refuse(target, planned, _another_name(workspace))
        plans.tell(plan, title)
        lost = [str(change) for change in planned if change.loses]
        if lost:
            targets.consent_to_loss(f"{title}: {len(lost)} of these take away what is there. Go on?")

    return None if target.keeps_nothing else review


def refuse_protected(workspace: Workspace, plan: plans.Plan) -> None:
    """Refuses to touch anything if any of it is protected against deletion, as AWS has it now."""
    if protected := [change.address for change in plans.changes(plan) if change.protected]:
        raise Failure(
            f"{workspace.pattern.name}: protected against deletion, so nothing was removed: {', '.join(protected)}. To"
            f" lose all that is in it, write deletion_protection = false into {settings.relative(workspace)}, deploy it"
            f" again on {workspace.target}, then destroy again."
        )


def _another_name(workspace: Workspace) -> str:
    return (
        "Deploy from the checkout that made them"
        f" (or with its BACKEND), or give this one another name: a line such as"
        f' name = "{workspace.pattern.name.replace("_", "-")}-2" in {settings.relative(workspace)}'
    )

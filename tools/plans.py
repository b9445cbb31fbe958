"""What a Terraform plan would do, read from its JSON (developer.hashicorp.com/terraform/internals/json-format)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.console import progress

RECORDS = frozenset({"aws_lambda_invocation", "terraform_data"})
"""Types that exist in the state alone: to remove or replace one takes nothing away from an account."""

_PROTECTION = ("deletion_protection", "deletion_protection_enabled")


@dataclass(frozen=True)
class Change:
    address: str
    type: str
    actions: tuple[str, ...]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    unfinished: bool = False
    """Whether it is replaced because making it failed."""

    @property
    def loses(self) -> bool:
        """Whether something that is there and whole is deleted, for good or to make it anew."""
        return "delete" in self.actions and self.type not in RECORDS and not self.unfinished

    @property
    def protected(self) -> bool:
        return any(self.before.get(name) is True for name in _PROTECTION)

    def __str__(self) -> str:
        verb = {"update": "update", "delete": "destroy", "forget": "forget"}.get("".join(self.actions), "replace")
        return f"{verb} {self.address}"


Plan = Mapping[str, Any]
"""A plan as `terraform show -json` prints it."""


def changes(plan: Plan) -> Sequence[Change]:
    """What would change, data sources aside. An argument that is not known before is not in `after`."""
    return [
        Change(
            it["address"],
            it["type"],
            tuple(it["change"]["actions"]),
            it["change"]["before"] or {},
            it["change"]["after"] or {},
            it.get("action_reason") == "replace_because_tainted",
        )
        for it in plan.get("resource_changes", [])
        if it["mode"] == "managed" and it["change"]["actions"] != ["no-op"]
    ]


def tell(plan: Plan, title: str) -> None:
    """Prints what would change: how many are made, and which of those that are there change or go."""
    planned = changes(plan)
    made = sum(change.actions == ("create",) for change in planned)
    progress(
        f"{title}: {made} to create, {len(planned) - made} others to change" if planned else f"{title}: no changes"
    )
    for change in planned:
        if change.actions != ("create",):
            progress(f"{title}: {change}")

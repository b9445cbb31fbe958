"""What a deployment reads from a plan: what is lost, what is protected."""

from typing import Any

import pytest

from tools import plans
from tools.console import Failure
from tools.discovery import Pattern
from tools.reviews import refuse_protected
from tools.workspaces import Workspace


def change(address: str, *actions: str, **more: Any) -> dict[str, Any]:
    kind = address.split(".")[0]
    before, reason = more.get("before"), more.get("reason")
    told = {"actions": list(actions), "before": before, "after": None}
    return {"address": address, "mode": "managed", "type": kind, "change": told, "action_reason": reason}


@pytest.mark.parametrize(
    ("planned", "loses"),
    [
        (change("aws_dynamodb_table.this", "delete"), True),
        (change("aws_dynamodb_table.this", "delete", "create"), True),
        (change("aws_dynamodb_table.this", "create", "delete"), True),
        (change("aws_dynamodb_table.this", "update"), False),
        (change("aws_dynamodb_table.this", "create"), False),
        (change("aws_lambda_function.this", "delete", "create", reason="replace_because_tainted"), False),
        (change("aws_lambda_invocation.migrate", "delete", "create"), False),
        (change("terraform_data.made_at", "delete"), False),
    ],
)
def test_what_is_there_is_lost_by_deleting_it_for_good_or_to_make_it_anew(planned: Any, loses: bool) -> None:
    [found] = plans.changes({"resource_changes": [planned]})
    assert found.loses == loses


def test_neither_what_stays_nor_what_is_only_read_changes() -> None:
    read = {**change("aws_subnet.given", "read"), "mode": "data"}
    assert plans.changes({"resource_changes": [change("aws_sqs_queue.this", "no-op"), read]}) == []


@pytest.mark.parametrize(
    ("kind", "argument"),
    [("aws_dynamodb_table", "deletion_protection_enabled"), ("aws_rds_cluster", "deletion_protection")],
)
def test_a_protected_store_is_not_touched_and_the_remedy_is_told(sample: Pattern, kind: str, argument: str) -> None:
    workspace = Workspace(sample, "aws", sample.folder.parent.parent)

    def plan(protected: bool) -> plans.Plan:
        changes = [
            change("aws_lambda_function.this", "delete", before={}),
            change(f"{kind}.this", "delete", before={argument: protected}),
        ]
        return {"resource_changes": changes}

    refuse_protected(workspace, plan(False))
    with pytest.raises(Failure) as refused:
        refuse_protected(workspace, plan(True))
    assert f"nothing was removed: {kind}.this." in str(refused.value)
    assert "deletion_protection = false into settings/aws/sample.tfvars" in str(refused.value)

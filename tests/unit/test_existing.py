"""What exists on an account is found by the names in a plan."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tools import existing
from tools.console import Failure
from tools.discovery import ROOT
from tools.plans import Change
from tools.targets import Target

AWS = Target("aws", "account 1, region r", {}, {}, keeps_nothing=False)

CANNOT_BE_TAKEN_OVER = {
    "a part of something that is looked for": {
        *("aws_cloudwatch_event_target", "aws_dynamodb_resource_policy", "aws_iam_role_policy", "aws_lambda_alias"),
        *("aws_iam_role_policy_attachment", "aws_lambda_permission", "aws_lambda_provisioned_concurrency_config"),
        *("aws_s3_bucket_object_lock_configuration", "aws_s3_bucket_public_access_block"),
        *("aws_s3_bucket_server_side_encryption_configuration", "aws_s3_bucket_versioning"),
    },
    "named by AWS": {"aws_kms_key", "aws_security_group", "aws_subnet", "aws_vpc"},
    "with a name that AWS completes": {"aws_secretsmanager_secret"},
    "in the state alone": {"aws_lambda_invocation", "terraform_data"},
    "in a module that no pattern uses": {
        *("aws_backup_plan", "aws_backup_selection", "aws_backup_vault", "aws_backup_vault_lock_configuration"),
        *("aws_cloudformation_stack", "aws_cloudwatch_dashboard", "aws_lambda_function_url"),
    },
}
"""Types of resources that need not be looked for, by the reason."""


def create(kind: str, **after: Any) -> Change:
    return Change(f"{kind}.this", kind, ("create",), {}, after)


def answering(monkeypatch: pytest.MonkeyPatch, **calls: Any) -> None:
    monkeypatch.setattr(Target, "client", lambda self, service: SimpleNamespace(**calls))


def failing(code: str) -> Any:
    def call(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "told"}}, "Describe")

    return call


def test_every_type_that_a_module_makes_is_looked_for_or_has_a_reason_not_to_be() -> None:
    files = [*ROOT.glob("patterns/*/*.tf"), *ROOT.glob("terraform/modules/*/*.tf")]
    made = {kind for file in files for kind in re.findall(r'(?m)^resource "(\w+)"', file.read_text(encoding="utf-8"))}
    assert made - existing.KINDS.keys() == set().union(*CANNOT_BE_TAKEN_OVER.values())


def test_what_exists_is_refused_with_its_name_and_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, get_queue_url=lambda QueueName: {"QueueUrl": f"https://sqs/{QueueName}"})  # noqa: N803
    planned = [create("aws_sqs_queue", name=f"orders-{number}") for number in range(7)]
    with pytest.raises(existing.Exists) as refused:
        existing.refuse(AWS, planned, "Do this.")
    told = str(refused.value)
    assert "aws_sqs_queue https://sqs/orders-0, " in told
    assert told.endswith("orders-4 and 2 more exist there, and were not made by this deployment. Do this.")


def test_what_does_not_exist_or_is_only_changed_is_no_reason_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, get_queue_url=failing("AWS.SimpleQueueService.NonExistentQueue"))
    existing.refuse(AWS, [create("aws_sqs_queue", name="orders")], "")
    answering(monkeypatch, get_queue_url=lambda **_: {"QueueUrl": "https://sqs/orders"})
    update = Change("aws_sqs_queue.this", "aws_sqs_queue", ("update",), {"name": "orders"}, {"name": "orders"})
    existing.refuse(AWS, [update, create("aws_sqs_queue")], "")


def test_where_nobody_may_look_nothing_is_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, get_queue_url=failing("AccessDenied"))
    with pytest.raises(Failure, match=r"cannot be told whether aws_sqs_queue\.this exists there already"):
        existing.refuse(AWS, [create("aws_sqs_queue", name="orders")], "")


def test_a_log_group_is_not_taken_for_one_whose_name_only_begins_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [{"logGroupName": "/aws/lambda/orders-2"}]
    answering(monkeypatch, describe_log_groups=lambda **_: {"logGroups": groups})
    assert existing.identify(AWS, create("aws_cloudwatch_log_group", name="/aws/lambda/orders")) is None
    groups.append({"logGroupName": "/aws/lambda/orders"})
    assert existing.identify(AWS, create("aws_cloudwatch_log_group", name="/aws/lambda/orders")) == "/aws/lambda/orders"

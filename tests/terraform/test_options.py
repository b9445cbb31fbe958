"""What an organisation sets reaches every resource of every pattern, and is off where nobody sets it.

All patterns are modules of one configuration, once as they come and once with everything set, planned with a mocked
provider. That shows what would be asked of AWS, not what AWS makes of it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from lambdas.eventstore.wire import OPERATIONS
from tools import package
from tools.discovery import ROOT, Pattern, patterns

from .conftest import RunMocked

PATTERNS = patterns()
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
OPTIONS = {
    "kms_key_arn": KEY,
    "function_settings": {
        "tracing": True,
        "permissions_boundary": BOUNDARY,
        "role_path": "/stores/",
        "vpc": {"subnet_ids": ["subnet-1"], "security_group_ids": ["sg-1"]},
    },
    "operation_settings": {
        "store_events": {"reserved_concurrency": 50, "provisioned_concurrency": 2},
        "get_aggregate_events": {"snap_start": True},
        "get_all_events": {"reserved_concurrency": 10},
    },
    "table_settings": {
        "table_class": "STANDARD_INFREQUENT_ACCESS",
        "max_read_units": 1000,
        "max_write_units": 500,
        "append_only": True,
    },
}
MOCKS = """
mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["us-east-1a", "us-east-1b"] }
  }
}
run "all" {
  command = plan
}
"""


def named(pattern: Pattern, variant: str) -> str:
    return f"{variant}-{pattern.name}".replace("_", "-")


def module(pattern: Pattern, variant: str, packages: Path) -> dict[str, Any]:
    options = OPTIONS if variant == "set" else {}
    own = {name: value for name, value in options.items() if name != "table_settings" or on_dynamodb(pattern)}
    source = os.path.relpath(pattern.folder, packages.resolve())  # an absolute one would be a package of its own
    return {"source": source, "name": named(pattern, variant), "package": str(package.build(pattern)), **own}


def on_dynamodb(pattern: Pattern) -> bool:
    return 'variable "table_settings"' in (pattern.folder / "variables.tf").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def planned(run_mocked: RunMocked, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The plan: changes of resources and of outputs."""
    root = tmp_path_factory.mktemp("options")
    modules = {named(each, variant): module(each, variant, root) for each in PATTERNS for variant in ("plain", "set")}
    outputs = {
        f"{what}-{name}": {"value": f"${{{value}}}"}
        for name in modules
        for what, value in {
            "arns": f"{{for kind, arns in module.{name}.arns : kind => keys(arns)}}",
            "functions": f"{{for operation in {json.dumps(OPERATIONS)} : operation => module.{name}[operation]}}",
        }.items()
    }
    required = {"required_providers": {"aws": {"source": "hashicorp/aws"}}}
    (root / "main.tf.json").write_text(json.dumps({"terraform": required, "module": modules, "output": outputs}))
    (root / "all.tftest.hcl").write_text(MOCKS)

    lines = run_mocked(root, "test", "-json", "-verbose").splitlines()
    [plan] = [line["test_plan"] for line in map(json.loads, lines) if line["type"] == "test_plan"]
    return dict(plan)


def kinds(planned: dict[str, Any], name: str) -> set[str]:
    """The types of the resources that the store of this name would have."""
    return {change["type"] for change in planned["resource_changes"] if change["address"].startswith(f"module.{name}.")}


def of_kind(planned: dict[str, Any], name: str, kind: str) -> list[dict[str, Any]]:
    """The arguments of the store's resources of one type, as far as they are known."""
    return [
        change["change"]["after"]
        for change in planned["resource_changes"]
        if change["type"] == f"aws_{kind}" and change["address"].startswith(f"module.{name}.")
    ]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_what_is_set_reaches_every_resource(planned: dict[str, Any], pattern: Pattern) -> None:
    def all_of(kind: str) -> list[dict[str, Any]]:
        return of_kind(planned, named(pattern, "set"), kind)

    assert all_of("iam_role")
    assert {(role["permissions_boundary"], role["path"]) for role in all_of("iam_role")} == {(BOUNDARY, "/stores/")}
    for function in all_of("lambda_function"):
        assert function["kms_key_arn"] == KEY
        assert function["tracing_config"] == [{"mode": "Active"}]
        assert function["vpc_config"][0]["subnet_ids"] == ["subnet-1"]
    assert {group["kms_key_id"] for group in all_of("cloudwatch_log_group")} == {KEY}
    for table in all_of("dynamodb_table"):
        assert table["server_side_encryption"][0]["kms_key_arn"] == KEY
        assert table["table_class"] == "STANDARD_INFREQUENT_ACCESS"
        for capped in (table, *table["global_secondary_index"]):
            assert capped["on_demand_throughput"] == [{"max_read_request_units": 1000, "max_write_request_units": 500}]
    assert len(all_of("dynamodb_resource_policy")) == len(all_of("dynamodb_table"))
    for queue in all_of("sqs_queue"):
        assert queue["kms_master_key_id"] == KEY
    for cluster in all_of("rds_cluster"):
        assert cluster["kms_key_id"] == cluster["master_user_secret_kms_key_id"] == KEY
    for secret in all_of("secretsmanager_secret"):
        assert secret["kms_key_id"] == KEY


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_an_operation_has_what_is_set_for_it(planned: dict[str, Any], pattern: Pattern) -> None:
    name = named(pattern, "set")
    by_name = {function["function_name"]: function for function in of_kind(planned, name, "lambda_function")}
    functions = {operation: by_name[f"{name}-{operation.replace('_', '-')}"] for operation in OPERATIONS}
    reserved = {operation: each["reserved_concurrent_executions"] for operation, each in functions.items()}
    assert reserved == {"store_events": 50, "get_aggregate_events": -1, "get_all_events": 10}
    aliases = {alias["function_name"] for alias in of_kind(planned, name, "lambda_alias")}
    assert aliases == {f"{name}-store-events", f"{name}-get-aggregate-events"}
    [ready] = of_kind(planned, name, "lambda_provisioned_concurrency_config")
    assert ready["function_name"] == f"{name}-store-events"
    outputs = planned["output_changes"][f"functions-{name}"]["after"]
    assert outputs == {
        "store_events": f"{name}-store-events:live",
        "get_aggregate_events": f"{name}-get-aggregate-events:live",
        "get_all_events": f"{name}-get-all-events",
    }
    snapshots = {each["function_name"] for each in by_name.values() if each["snap_start"]}
    assert snapshots == {f"{name}-get-aggregate-events"}


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_what_costs_or_locks_out_is_off(planned: dict[str, Any], pattern: Pattern) -> None:
    name = named(pattern, "plain")
    assert not kinds(planned, name) & {
        "aws_lambda_alias",
        "aws_lambda_provisioned_concurrency_config",
        "aws_dynamodb_resource_policy",
        "aws_cloudwatch_dashboard",
        "aws_backup_plan",
    }
    assert {key["key_usage"] for key in of_kind(planned, name, "kms_key")} <= {"SIGN_VERIFY"}
    for function in of_kind(planned, name, "lambda_function"):
        assert function["tracing_config"] == [{"mode": "PassThrough"}]
        assert not function["snap_start"]
        assert not function["vpc_config"]
    for table in of_kind(planned, name, "dynamodb_table"):
        assert table["table_class"] == "STANDARD"
        assert not table["on_demand_throughput"]


@pytest.mark.parametrize("variant", ["plain", "set"])
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_the_outputs_name_every_function_table_stream_queue_cluster_and_alarm(
    planned: dict[str, Any], pattern: Pattern, variant: str
) -> None:
    name = named(pattern, variant)
    arns = planned["output_changes"][f"arns-{name}"]["after"]

    def names(kind: str, attribute: str) -> set[str]:
        return {values[attribute] for values in of_kind(planned, name, kind)}

    assert {f"{name}-{key.replace('_', '-')}" for key in arns["functions"]} == names("lambda_function", "function_name")
    assert set(arns["alarms"]) == names("cloudwatch_metric_alarm", "alarm_name")
    tables = of_kind(planned, name, "dynamodb_table")
    assert len(arns["tables"]) == len(tables)
    assert len(arns["streams"]) == len([table for table in tables if table["stream_enabled"]])
    assert {f"{name}-{key}" for key in arns["queues"]} == {
        it.removesuffix(".fifo") for it in names("sqs_queue", "name")
    }
    assert len(arns["clusters"]) == len(of_kind(planned, name, "rds_cluster"))


@pytest.mark.parametrize("variable", [*OPTIONS, "alarm_actions", "tags"])
def test_a_shared_option_has_one_type_and_one_meaning(variable: str) -> None:
    """Terraform has no types with names: each module on the way to the one that uses a setting repeats its type."""
    on_the_way = [
        *(ROOT / "terraform/modules").glob("*/variables.tf"),
        *(it.folder / "variables.tf" for it in PATTERNS),
    ]
    declared: dict[str, dict[str, str]] = {}
    for file in on_the_way:
        found = re.search(rf'(?ms)^variable "{variable}" {{\n(.*?)^}}', file.read_text(encoding="utf-8"))
        if found:
            kind = re.search(r"(?ms)^  type\s*= (.*?)\n(?=  \w|\Z)", found[1])
            assert kind, file
            bare = re.sub(r"optional\((\w+), [^)]+\)", r"optional(\1)", re.sub(r"\s+", " ", kind[1]))
            declared.setdefault(bare, {})[file.parent.name] = found[1]
    assert len(declared) == 1, {kind: list(files) for kind, files in declared.items()}
    [files] = declared.values()
    assert len(files) >= len(PATTERNS) - 1

"""`TARGET=aws` on an account with other things in it: two checkouts, the state of one shared with the other.

The tests build on each other, in order. All but the first are about one deployment of `ksuid`.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from testkit import account
from tests.commands.conftest import LEFT_OUT
from tools.discovery import ROOT

STATE_KEY = f"event-stores/{account.ACCOUNT}/{account.REGION}/ksuid.tfstate"
BUCKET = "states"
BACKEND = f'bucket = "{BUCKET}"\nregion = "{account.REGION}"\nuse_path_style = true\n'


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with account.foreign(tmp_path_factory.mktemp("account")) as environ:
        yield {name: value for name, value in environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


@pytest.fixture(scope="module")
def client(person: dict[str, str]) -> Callable[[str], Any]:
    """A client of a service there, as of somebody else."""
    endpoint = Path(person["AWS_CONFIG_FILE"]).read_text(encoding="utf-8").split("endpoint_url = ")[1].strip()

    def make(service: str) -> Any:
        create: Any = boto3.client
        return create(
            service,
            endpoint_url=endpoint,
            region_name=account.REGION,
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="example",
        )

    return make


@pytest.fixture(scope="module")
def first(person: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> "Checkout":
    return Checkout(tmp_path_factory.mktemp("first") / "checkout", person)


@pytest.fixture(scope="module")
def second(person: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> "Checkout":
    return Checkout(tmp_path_factory.mktemp("second") / "checkout", person)


class Checkout:
    """A checkout, with `settings` for `ksuid` on this account, and its commands."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        self.folder, self._environ = folder, environ
        self.settings = folder / "settings/aws/ksuid.tfvars"
        self.settings.parent.mkdir(parents=True, exist_ok=True)
        self.backend = folder / "backend.hcl"

    def make(self, command: str, pattern: str = "ksuid", **more: str) -> tuple[int, str, str]:
        """Exit status, results, and what was told."""
        done = subprocess.run(
            ["make", command, f"PATTERN={pattern}", "TARGET=aws"],
            cwd=self.folder,
            env={**self._environ, "YES": "1", **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


def everything(client: Callable[[str], Any]) -> dict[str, list[str]]:
    """The names of what is on the account, by kind."""
    return {
        "tables": client("dynamodb").list_tables()["TableNames"],
        "functions": [it["FunctionName"] for it in client("lambda").list_functions()["Functions"]],
        "roles": [it["RoleName"] for it in client("iam").list_roles()["Roles"]],
        "groups": [it["logGroupName"] for it in client("logs").describe_log_groups()["logGroups"]],
        "alarms": [it["AlarmName"] for it in client("cloudwatch").describe_alarms()["MetricAlarms"]],
        "queues": [it.rpartition("/")[2] for it in client("sqs").list_queues().get("QueueUrls", [])],
        "rules": [it["Name"] for it in client("events").list_rules()["Rules"]],
    }


@pytest.fixture(scope="module")
def others(client: Callable[[str], Any]) -> dict[str, list[str]]:
    """What others have made: a queue and a rule, which AWS gives out as if just made, and a role of another region."""
    client("sqs").create_queue(QueueName="eventstore-sqs-fifo-failures")
    client("events").put_rule(Name="eventstore-sqs-fifo-sweep", ScheduleExpression="rate(1 day)")
    client("iam").create_role(RoleName="eventstore-ksuid-store-events-us-east-1", AssumeRolePolicyDocument="{}")
    return everything(client)


def test_what_somebody_else_has_made_is_neither_taken_over_nor_removed(
    first: Checkout, client: Callable[[str], Any], others: dict[str, list[str]]
) -> None:
    status, _, told = first.make("deploy", "sqs_fifo")

    assert status
    assert "eventstore-sqs-fifo-failures" in told
    assert "aws_cloudwatch_event_rule eventstore-sqs-fifo-sweep" in told
    assert 'name = "sqs-fifo-2" in settings/aws/sqs_fifo.tfvars' in told
    assert first.make("destroy", "sqs_fifo")[0] == 0
    assert everything(client) == others


def test_a_first_deployment_keeps_its_state_in_the_bucket_and_tells_somebody_of_alarms(
    first: Checkout, client: Callable[[str], Any]
) -> None:
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": account.REGION})
    first.backend.write_text(BACKEND, encoding="utf-8")
    first.settings.write_text("shards = 2\n", encoding="utf-8")

    status, results, told = first.make("deploy", BACKEND="backend.hcl", ALARM_EMAIL="ops@example.com")

    assert status == 0, told
    assert "eventstore-ksuid-store-events" in results
    assert [it["Key"] for it in client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]] == [STATE_KEY]
    assert not (first.folder / ".state/aws/ksuid/terraform.tfstate").exists()
    assert f"eventstore-ksuid-store-events-{account.REGION}" in everything(client)["roles"]
    [subscription] = client("sns").list_subscriptions()["Subscriptions"]
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
    alarms = client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {action for alarm in alarms for action in alarm["AlarmActions"]} == {subscription["TopicArn"]}


def test_a_setting_that_would_cost_events_is_refused_before_anything_is_done(
    first: Checkout, client: Callable[[str], Any]
) -> None:
    before, settings = everything(client), first.settings.read_text(encoding="utf-8")
    first.settings.write_text("shards = 1\n", encoding="utf-8")
    status, _, told = first.make("deploy", REPLACE="1")
    first.settings.write_text(settings, encoding="utf-8")
    assert status
    assert "The number of shards can only grow" in told
    assert everything(client) == before


def test_a_second_checkout_does_not_take_the_store_of_the_first(
    first: Checkout, second: Checkout, client: Callable[[str], Any]
) -> None:
    before = everything(client)
    shutil.copy(first.settings, second.settings)
    status, _, told = second.make("deploy")
    assert status
    assert re.search("eventstore-ksuid.* more exist there, and were not made by this deployment", told)
    assert second.make("destroy")[0] == 0
    assert everything(client) == before


def test_a_second_checkout_shares_the_state_but_not_by_agreeing_to_deploy_what_would_replace_a_table(
    first: Checkout, second: Checkout, client: Callable[[str], Any]
) -> None:
    second.backend.write_text(BACKEND, encoding="utf-8")
    status, results, told = second.make("output", BACKEND="backend.hcl")
    assert status == 0, told
    assert json.loads(results) == json.loads(first.make("output")[1])

    before = everything(client)
    module = second.folder / "patterns/ksuid/main.tf"
    text = module.read_text(encoding="utf-8")
    module.write_text(text.replace('"aggregateVersion"', '"version"'), encoding="utf-8")
    refused, _, told = second.make(
        "deploy", TF_VAR_name="orders", TF_CLI_ARGS_plan="-destroy", TF_CLI_ARGS_apply="-destroy"
    )
    module.write_text(text, encoding="utf-8")
    assert refused
    assert "TF_CLI_ARGS_apply, TF_CLI_ARGS_plan, TF_VAR_name: not used" in told
    assert "ksuid: replace module.events.aws_dynamodb_table.this" in told
    assert "ksuid: destroy " not in told
    assert "set REPLACE=1 to agree" in told
    assert everything(client) == before


def test_a_protected_store_is_not_touched_by_destroy(second: Checkout, client: Callable[[str], Any]) -> None:
    before = everything(client)
    status, _, told = second.make("destroy")
    assert status
    assert "module.events.aws_dynamodb_table.this" in told
    assert "deletion_protection = false into settings/aws/ksuid.tfvars" in told
    assert everything(client) == before


def test_a_store_whose_protection_was_lifted_is_removed_and_nothing_else(
    second: Checkout, client: Callable[[str], Any], others: dict[str, list[str]]
) -> None:
    client("dynamodb").update_table(TableName="eventstore-ksuid", DeletionProtectionEnabled=False)  # by somebody else
    status, _, told = second.make("destroy")
    assert status == 0, told
    assert everything(client) == others
    assert second.make("output")[0]

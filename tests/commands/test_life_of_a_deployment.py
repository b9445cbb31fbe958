"""A pattern's way through the commands, on a local AWS of the test's own. The tests build on each other, in order."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import boto3
import psutil

from local import control
from testkit.harness import eventually
from tests.commands.conftest import Make

FUNCTIONS = {
    "store_events": "eventstore-ksuid-store-events",
    "get_aggregate_events": "eventstore-ksuid-get-aggregate-events",
    "get_all_events": "eventstore-ksuid-get-all-events",
}


def begin_to_deploy(checkout: Path, environ: dict[str, str]) -> "subprocess.Popen[str]":
    """A deployment that has just made a function, and not recorded it: the provider waits 5 s before it looks."""
    command = subprocess.Popen(
        ["make", "deploy", "PATTERN=ksuid"],
        cwd=checkout,
        env=environ,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not functions_of(checkout):
        assert command.poll() is None, f"make deploy ended before it made a function: {command.communicate()}"
        time.sleep(0.1)
    return command


def functions_of(checkout: Path) -> list[str]:
    """The names of the functions on the checkout's local AWS, by its back door; none if it does not run."""
    aws = control.find(checkout / ".local")
    functions = lambda_client(aws.environment).list_functions()["Functions"] if aws else []
    return [function["FunctionName"] for function in functions]


def lambda_client(environ: dict[str, str]) -> Any:
    return client_of("lambda", environ)


def client_of(service: str, environ: dict[str, str]) -> Any:
    session: Any = boto3.Session(region_name=environ["AWS_REGION"])
    return session.client(
        service,
        endpoint_url=environ["AWS_ENDPOINT_URL"],
        aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
    )


def test_a_deployment_that_was_killed_is_continued_by_deploying_again(
    make: Make, checkout: Path, environ: dict[str, str]
) -> None:
    command = begin_to_deploy(checkout, environ)
    os.killpg(command.pid, signal.SIGKILL)
    command.communicate()
    deployed = make("deploy", "PATTERN=ksuid")
    assert deployed.returncode == 0, deployed.stderr
    assert all(name in deployed.stdout for name in FUNCTIONS.values())


def test_the_outputs_are_one_json_object(make: Make) -> None:
    outputs = json.loads(make("output", "PATTERN=ksuid").stdout)
    assert set(outputs.pop("arns")["functions"]) == set(FUNCTIONS)
    assert set(outputs.pop("invoke_policies")) == {"read", "append"}
    assert outputs.pop("store")["pattern"] == "ksuid"
    assert outputs == {**FUNCTIONS, "table": "eventstore-ksuid"}


def test_the_demo_runs_whatever_the_shell_has_set(make: Make) -> None:
    shown = make("demo", "PATTERN=ksuid")
    assert shown.returncode == 0, shown.stderr
    assert "Done." in shown.stdout
    assert "some time after it is stored" in shown.stdout
    assert "make call PATTERN=ksuid OPERATION=get_all_events JSON='{}'" in shown.stdout
    assert shown.stderr == ""


def test_a_request_arrives_as_it_was_written(make: Make) -> None:
    metadata = {"it's": '$5 $(shell date) `id` \\ "#%"', "größe": [1.0, "→"]}
    event = {"aggregateId": "a", "aggregateVersion": 1, "eventType": "E", "eventVersion": 1, "metadata": metadata}
    request = json.dumps({"events": [event]}, ensure_ascii=False)
    stored = make("call", "PATTERN=ksuid", "OPERATION=store_events", f"JSON={request}")
    assert stored.stdout.count("\n") == 1, stored.stderr
    assert json.loads(stored.stdout)["events"][0]["metadata"] == metadata
    read = make("call", "PATTERN=ksuid", "OPERATION=get_aggregate_events", piped='{"aggregateId": "a"}')
    assert json.loads(read.stdout)["events"][0]["metadata"] == metadata


def test_what_is_deployed_is_audited(make: Make) -> None:
    audited = make("audit", "PATTERN=ksuid")
    assert audited.returncode == 0, audited.stderr
    assert re.fullmatch(r"ksuid: all agrees: (\d+) events of \d+ aggregates, \1 in the order\n", audited.stdout)


def test_the_printed_environment_reaches_the_deployed_functions(make: Make) -> None:
    printed = make("env")
    assert printed.returncode == 0, printed.stderr
    assert "unset AWS_PROFILE\n" in printed.stdout
    exported = [line.removeprefix("export ") for line in printed.stdout.splitlines() if line.startswith("export ")]
    environ = dict(line.split("=", 1) for line in exported)
    asked = json.dumps({"aggregateId": "unknown"})
    answer = lambda_client(environ).invoke(FunctionName=FUNCTIONS["get_aggregate_events"], Payload=asked)
    assert json.load(answer["Payload"]) == {"events": [], "nextVersion": None}


def test_a_second_deployment_changes_nothing_and_the_call_that_it_prints_can_be_pasted(make: Make) -> None:
    deployed = make("deploy", "PATTERN=ksuid")
    assert "ksuid: apply: no changes" in deployed.stderr

    [line] = [line for line in deployed.stdout.splitlines() if "make call" in line]
    first, second = make(*shlex.split(line)[1:]), make(*shlex.split(line)[1:])
    assert json.loads(first.stdout)["events"][0]["eventType"] == "ACCOUNT_CREATED", first.stderr
    assert second.returncode == 0, "a refusal is an answer"
    assert json.loads(second.stdout)["error"]["code"] == "VersionConflict"


def test_a_sample_goes_on_top_and_shows_what_was_written(make: Make, checkout: Path) -> None:
    refused = make("deploy", "PATTERN=ksuid", "SAMPLE=acounts")
    assert refused.returncode != 0
    assert "as one of accounts" in refused.stderr
    exported = [line for line in make("env").stdout.splitlines() if line.startswith("export ")]
    environ = dict(line.removeprefix("export ").split("=", 1) for line in exported)
    sqs = client_of("sqs", environ)
    queue = sqs.create_queue(QueueName="listener.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    settings = checkout / "settings/local/ksuid-accounts.tfvars"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f'push_to = "{arn}"\nsnapshot_every = 2\n')
    deployed = make("deploy", "PATTERN=ksuid", "SAMPLE=accounts")
    assert deployed.returncode == 0, deployed.stderr
    outputs = json.loads(make("output", "PATTERN=ksuid").stdout)
    client = lambda_client(environ)

    def call(output: str, **request: Any) -> Any:
        return json.load(client.invoke(FunctionName=outputs[output], Payload=json.dumps(request))["Payload"])

    josh = {"commandId": "1", "command": "CreateAccount", "accountId": "josh", "name": "Josh", "currency": "EUR"}
    [created] = call("accounts_command", **josh)["events"]
    paid = {"commandId": "2", "command": "DepositMoney", "accountId": "josh", "amount": 5}
    once, twice = call("accounts_command", **paid), call("accounts_command", **paid)
    assert (created["aggregateVersion"], once) == (1, twice)
    assert call("accounts_command", **{**paid, "amount": 0})["error"]["code"] == "InvalidRequest"
    much = {"commandId": "3", "command": "WithdrawMoney", "accountId": "josh", "amount": 6}
    assert call("accounts_command", **much)["error"]["reason"] == "Overdraft"

    def balance() -> Any:
        return call("accounts_query", query="balance", accountId="josh", atLeast=2)

    # The first one may wait for functions that start together with it.
    answer = balance()
    answer = answer if "balance" in answer else balance()
    assert answer == {"accountId": "josh", "balance": 5, "currency": "EUR", "version": 2}
    names = {"balances", "statements", "daily-totals"}
    assert {it["name"] for it in call("accounts_query", query="lag")["projections"]} == names
    eventually(
        lambda: len(call("accounts_query", query="statement", accountId="josh").get("entries", [])) == 2, 60, "it"
    )
    rebuilt = make("rebuild", "PATTERN=ksuid", "PROJECTION=balances")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert "generation 2 is live" in rebuilt.stderr
    assert balance() == answer

    pushed: list[tuple[str, str]] = []

    def listen() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            pushed.append((event["subject"], event["type"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [it for it in pushed if it[0] == "josh"] == [("josh", "ACCOUNT_CREATED"), ("josh", "MONEY_DEPOSITED")]

    eventually(listen, 90, "both events, pushed")

    shown = make("demo", "PATTERN=ksuid")
    assert "read model: Josh 70.00, Ann 30.00" in shown.stdout, shown.stderr


def test_a_destroyed_pattern_is_gone(make: Make, checkout: Path) -> None:
    destroyed = make("destroy", "PATTERN=ksuid")
    assert destroyed.returncode == 0, destroyed.stderr
    assert destroyed.stdout == ""
    assert make("output", "PATTERN=ksuid").returncode != 0
    assert functions_of(checkout) == []


def test_a_deployment_whose_terraform_was_killed_is_continued_by_deploying_again(
    make: Make, checkout: Path, environ: dict[str, str]
) -> None:
    command = begin_to_deploy(checkout, environ)
    for process in psutil.process_iter(["cmdline"]):
        if f"-state={checkout}/.state/local/ksuid/terraform.tfstate" in (process.info["cmdline"] or []):
            for killed in [process, *process.children()]:  # its provider would outlive it
                killed.kill()
    _, told = command.communicate()
    assert "ksuid: apply failed" in told
    deployed = make("deploy", "PATTERN=ksuid")
    assert deployed.returncode == 0, deployed.stderr
    assert "which a killed deployment had made" in deployed.stderr


def test_after_the_local_aws_was_stopped_nothing_counts_as_deployed(make: Make, checkout: Path) -> None:
    assert make("down").returncode == 0
    assert "run make deploy" in make("output", "PATTERN=ksuid").stderr
    destroyed = make("destroy", "PATTERN=ksuid")
    assert destroyed.returncode == 0
    assert "is gone, and everything with it" in destroyed.stderr
    assert not (checkout / ".state/local/ksuid").exists()

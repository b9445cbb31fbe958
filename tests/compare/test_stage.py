"""Deployments of the comparison's own, beside a person's, and nothing left of them."""

from pathlib import Path

import boto3
import pytest

from compare import stage
from compare.history import Answer
from local.control import LocalAws
from tools.console import Failure
from tools.discovery import ROOT, Pattern, patterns
from tools.targets import Target, local

SIMPLEST = patterns()[:1]


def test_on_an_account_stores_of_their_own_names_are_deployed_and_removed(tmp_path: Path) -> None:
    aws = LocalAws.start(tmp_path)
    try:
        account = local(aws, "aws-of-a-test")
        with stage.on(Target("aws-of-a-test", aws.instance_id, account.environment, {}), SIMPLEST) as [deployed]:
            assert all(name.startswith("compare-") for name in deployed.functions.values())
            assert deployed.state["resources"]
            assert _is_empty(deployed.answer())
        with stage._in_environment(account.environment):
            assert boto3.client("lambda").list_functions()["Functions"] == []
    finally:
        aws.stop()
    assert not list((ROOT / ".state").glob("compare-aws-of-a-test/*"))


def test_a_local_stage_ends_when_a_deployment_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[LocalAws] = []
    start = LocalAws.start

    def remember(*given: object, **named: object) -> LocalAws:
        started.append(start(*given, **named))  # type: ignore[arg-type]
        return started[-1]

    def fail(pattern: Pattern, target: Target) -> None:
        raise Failure("nothing works")

    monkeypatch.setattr(LocalAws, "start", remember)
    monkeypatch.setattr(stage, "deploy", fail)
    with pytest.raises(Failure, match="nothing works"), stage.local(SIMPLEST):
        pytest.fail("it was entered")
    assert started[0].health(timeout=1) is None


def _is_empty(answer: Answer) -> bool:
    return answer("get_all_events", {})["events"] == []

"""Deployments of the comparison's own, beside a person's, and nothing left of them."""

import boto3
import pytest

from compare.history.record import Answer
from compare.measure import environments
from local.control import LocalAws
from testkit.session import Session
from tools.console import Failure
from tools.discovery import ROOT, Pattern, select
from tools.targets import Target

SIMPLEST = select("ksuid")


def test_on_an_account_stores_of_their_own_names_are_deployed_and_removed(aws: None, session: Session) -> None:
    """On the AWS of this session, beside its own deployments, as on the account of a person who has some."""
    account = Target("aws-of-a-test", "an account", session.aws(), {})

    with environments.on_account(account, SIMPLEST) as [deployed]:
        assert all(name.startswith("compare-") for name in deployed.functions.values())
        assert set(deployed.functions.values()) <= functions()
        assert deployed.state["resources"]
        assert _is_empty(deployed.answer())

    assert not {name for name in functions() if name.startswith("compare-")}
    assert not [name for name in boto3.client("dynamodb").list_tables()["TableNames"] if name.startswith("compare-")]
    assert not list((ROOT / ".state").glob("compare-aws-of-a-test/*"))


def test_the_local_aws_ends_when_a_deployment_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[LocalAws] = []
    start = LocalAws.start

    def remember(*given: object, **named: object) -> LocalAws:
        started.append(start(*given, **named))  # type: ignore[arg-type]
        return started[-1]

    def fail(pattern: Pattern, target: Target) -> None:
        raise Failure("nothing works")

    monkeypatch.setattr(LocalAws, "start", remember)
    monkeypatch.setattr(environments, "deploy", fail)
    with pytest.raises(Failure, match="nothing works"), environments.local(SIMPLEST):
        pytest.fail("it was entered")
    assert started[0].health(timeout=1) is None


def _is_empty(answer: Answer) -> bool:
    return not answer("get_all_events", {})["events"]


def functions() -> set[str]:
    pages = boto3.client("lambda").get_paginator("list_functions").paginate()
    return {function["FunctionName"] for page in pages for function in page["Functions"]}

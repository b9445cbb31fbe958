"""Who is told of alarms on an account."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tools import alarms
from tools.console import UsageError
from tools.discovery import Pattern
from tools.targets import Target
from tools.workspaces import Workspace

ARN = "arn:aws:sns:eu-west-1:123456789012:eventstore-alarms"
EMAIL = {"ALARM_EMAIL": "ops@example.com"}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The subscriptions that were asked for."""
    subscribed: list[dict[str, str]] = []
    sns = SimpleNamespace(
        create_topic=lambda **named: {"TopicArn": ARN}, subscribe=lambda **wanted: subscribed.append(wanted)
    )
    monkeypatch.setattr(Target, "client", lambda self, service: sns)
    return subscribed


def workspace_on(target: str, pattern: Pattern, root: Path) -> tuple[Workspace, Target]:
    return Workspace(pattern, target, root), Target(target, "identity", {}, {})


def test_an_email_address_becomes_a_subscription_and_a_setting_beside_those_that_are_there(
    sample: Pattern, tmp_path: Path, account: list[Any]
) -> None:
    workspace, target = workspace_on("aws", sample, tmp_path)
    workspace.settings.parent.mkdir(parents=True)
    workspace.settings.write_text("shards = 4", encoding="utf-8")
    alarms.tell_of(workspace, target, EMAIL)
    assert account == [{"TopicArn": ARN, "Protocol": "email", "Endpoint": "ops@example.com"}]
    assert workspace.settings.read_text() == f'shards = 4\nalarm_actions = ["{ARN}"]\n'


def test_who_is_told_already_is_kept(sample: Pattern, tmp_path: Path, account: list[Any]) -> None:
    workspace, target = workspace_on("aws", sample, tmp_path)
    alarms.tell_of(workspace, target, EMAIL)
    with pytest.raises(UsageError, match=r"settings/aws/sample\.tfvars says with alarm_actions"):
        alarms.tell_of(workspace, target, EMAIL)
    assert len(account) == 1


def test_that_nobody_is_told_is_said_on_an_account(
    sample: Pattern, tmp_path: Path, account: list[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("local", "aws"):
        alarms.tell_of(*workspace_on(name, sample, tmp_path), {})
    told = capfd.readouterr().err
    assert told.count("nobody is told of its alarms") == 1
    alarms.tell_of(*workspace_on("aws", sample, tmp_path), EMAIL)
    alarms.tell_of(*workspace_on("aws", sample, tmp_path), {})
    assert "nobody" not in capfd.readouterr().err


def test_a_local_aws_sends_no_mail(sample: Pattern, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ALARM_EMAIL is for TARGET=aws"):
        alarms.tell_of(*workspace_on("local", sample, tmp_path), EMAIL)

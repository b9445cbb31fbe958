"""Who is told of alarms: `ALARM_EMAIL=you@example.com make deploy … TARGET=aws` makes an SNS topic that sends mail.

The topic is one for all stores of the account in the region, and outlives each of them. Its ARN becomes the setting
`alarm_actions`, so that later deployments keep it, from whatever checkout.
"""

import re
from collections.abc import Mapping

from botocore.exceptions import ClientError

from tools import settings
from tools.console import Failure, UsageError, progress
from tools.targets import Target
from tools.workspaces import Workspace

TOPIC = "eventstore-alarms"


def tell_of(workspace: Workspace, target: Target, environ: Mapping[str, str]) -> None:
    """Sets who is told of the alarms to what ALARM_EMAIL says; says so, or that nobody is told."""
    email = environ.get("ALARM_EMAIL", "")
    if email and target.name != "aws":
        raise UsageError("ALARM_EMAIL is for TARGET=aws: a local AWS sends no mail.")
    if email and _are_set(workspace):
        raise UsageError(
            f"{settings.relative(workspace)} says with alarm_actions who is told of alarms: leave ALARM_EMAIL out, or"
            " remove that line."
        )
    if email:
        _set(workspace, _topic(target, email))
        progress(
            f"{workspace.pattern.name}: {email} is told of alarms once the mail that AWS has sent there is confirmed;"
            f" {settings.relative(workspace)} says so"
        )
    elif target.name == "aws" and not _are_set(workspace):
        progress(
            f"{workspace.pattern.name}: nobody is told of its alarms. Deploy with ALARM_EMAIL=you@example.com, or set"
            f" alarm_actions in {settings.relative(workspace)}",
            style="yellow",
        )


def _are_set(workspace: Workspace) -> bool:
    file = workspace.settings
    return file.exists() and bool(re.search(r"(?m)^\s*alarm_actions\s*=", file.read_text(encoding="utf-8")))


def _topic(target: Target, email: str) -> str:
    sns = target.client("sns")
    try:
        topic = str(sns.create_topic(Name=TOPIC)["TopicArn"])  # the one that is there, if there is one
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=email)
    except ClientError as error:
        raise Failure(f"Nobody can be told of alarms by {email}: {error}") from None
    return topic


def _set(workspace: Workspace, topic: str) -> None:
    file = workspace.settings
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    file.parent.mkdir(parents=True, exist_ok=True)
    separator = "\n" if before and not before.endswith("\n") else ""
    file.write_text(f'{before}{separator}alarm_actions = ["{topic}"]\n', encoding="utf-8")

"""`python -m tools.restore_drill PATTERN [--target …] [--at …] [--keep]`: a restore, from backups to an audited store.

It restores what a deployed pattern keeps to one moment, under new names beside it: a table by point-in-time recovery, a
cluster by the pattern's own module. Then it repairs the tables from each other, has Terraform take them over, which
gives them stream, recovery, tags, alarms and functions, audits the new store, and removes it. With `--keep` the store
stays, and the drill was a restore. The store that it is made from is only read. A drill that was killed, or that failed
half-way, is cleared away by the next; a cluster that it had protected already, once you have lifted that.
"""

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore.audits import Difference
from tools import arguments, audit, deployments, package, reviews, targets, terraform
from tools.console import Failure, UsageError, progress, result, run
from tools.discovery import ROOT, Pattern
from tools.output import outputs
from tools.targets import Target
from tools.workspaces import Workspace

SUFFIX = "-restored"
_LONGEST_NAME = 43
"""Of a store: its longest function is called NAME-get-aggregate-events, in at most 64 characters."""

_POLLING = {"Delay": 5, "MaxAttempts": 17280}
"""A day: how long DynamoDB takes for a large table no document says."""


def main() -> None:
    parser = arguments.parser("Restore deployed patterns beside themselves, audit the result, and remove it.")
    parser.add_argument("--at", default="", help="the moment, such as 2026-11-25T02:00:00Z; the latest if not given")
    parser.add_argument("--keep", action="store_true", help="keep the restored store")
    patterns, name, given = arguments.parse_all(parser)
    at = moment(given.at)
    deployed = {pattern: outputs(pattern, name) for pattern in patterns}
    target = targets.reach(name)
    assert target, "a deployed pattern has a target"
    names = ", ".join(pattern.name for pattern in patterns)
    targets.consent(target, f"Restore {names} there, into new tables and functions, at your cost?")
    os.environ.clear()
    os.environ.update(target.environment)
    for pattern, offers in deployed.items():
        try:
            held = drill(pattern, original(pattern, offers, name), target, at, keep=given.keep)
        except (Difference, BotoCoreError, ClientError) as problem:
            raise Failure(f"{pattern.name}: the restore failed: {problem}") from None
        result(f"{pattern.name}: restored, and all agrees: {held}")


def moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise UsageError(f"{text!r} is no moment: give AT=… with a time zone, such as AT=2026-11-25T02:00:00Z.")
    return at


class Original(NamedTuple):
    """The store that is restored beside itself."""

    name: str
    environ: Mapping[str, str]
    tables: Mapping[str, str]
    """Their names, by their addresses in the pattern's module."""


def original(pattern: Pattern, offers: Mapping[str, str], target: str) -> Original:
    """The store with these outputs."""
    tables = terraform.resources(Workspace(pattern, target), "aws_dynamodb_table")
    return Original(
        audit.unqualified(offers["store_events"]).removesuffix("-store-events"),
        audit.environment(offers),
        {address: values["name"] for address, values in tables.items()},
    )


def drill(
    pattern: Pattern,
    live: Original,
    target: Target,
    at: datetime | None = None,
    root: Path = ROOT,
    *,
    keep: bool = False,
) -> str:
    """Restores a store beside itself, and answers with what the restored one held. AWS is that of the process.

    Raises:
        Difference: the restored tables contradict each other. They stay, to be looked at; the next drill removes them.
        ClientError: AWS does not restore to that moment.
    """
    name = live.name[: _LONGEST_NAME - len(SUFFIX)] + SUFFIX
    overrides = {"name": name} | ({} if keep else {"deletion_protection": "false"})
    beside = replace(target, name=f"{target.name}{SUFFIX}", overrides=overrides)
    own = getattr(audit.module(pattern), "restore_variables", None)
    workspace = Workspace(pattern, beside.name, root)
    if not own:
        workspace = replace(workspace, pattern=Pattern(workspace.folder / pattern.name))
    _clear(workspace, beside)
    deployments.claim(workspace, beside)
    _take_settings(Workspace(pattern, target.name, root), workspace)
    package.build(pattern)
    if own:
        overrides |= own(live.environ, at and at.isoformat(), keep=keep)
        _apply_twice_if_need_be(workspace, beside)
    else:
        renamed = {table: name + table.removeprefix(live.name) for table in live.tables.values()}
        _restore(workspace, renamed, at)  # and from here on Terraform knows of them, or the drill's own record
        new = {variable: renamed.get(value, value) for variable, value in live.environ.items()}
        audit.repair(pattern, new, restored=True)  # before any function knows of the tables
        _write_root_module(workspace, pattern, {address: renamed[table] for address, table in live.tables.items()})
        terraform.apply(workspace, beside, reviews.deploying(workspace, beside))
        for table, copy in renamed.items():
            _check_settings(table, copy)
    if keep:
        (workspace.folder / _KEPT).touch()  # now that its tables are protected, whatever the audit says
    held = audit.audit(pattern, audit.environment(terraform.outputs(workspace)), settle_seconds=0)
    if keep:
        progress(f"{pattern.name}: {name} stays; its Terraform state is {workspace.state}")
    else:
        _clear(workspace, beside)
    return held


_KEPT, _TABLES = "kept", "tables.json"
"""Beside the state: that the store is to stay; and which tables were restored, until Terraform knows of them."""


def _clear(workspace: Workspace, target: Target) -> None:
    """Remove what a drill has made: by Terraform what that knows of, and the tables that it does not."""
    if (workspace.folder / _KEPT).exists():
        raise Failure(
            f"{target.overrides['name']} is a store that was restored and kept: destroy it by its Terraform state,"
            f" {workspace.state}, and remove {workspace.folder}; or move the state to where your others are."
        )
    if deployments.belongs(workspace, target):
        tables = _begun(workspace)
        _unprotect(tables)
        if workspace.state.exists():
            terraform.destroy(workspace, target, lambda plan: None)  # all of it is the drill's own
        _delete_tables(tables)
    deployments.forget(workspace)


def _begun(workspace: Workspace) -> list[str]:
    """The tables that a drill has begun to restore."""
    record = workspace.folder / _TABLES
    return list(json.loads(record.read_text(encoding="utf-8"))) if record.exists() else []


def _unprotect(tables: list[str]) -> None:
    """Of a store that was to be kept, and that a killed drill has left half made."""
    dynamodb = boto3.client("dynamodb")
    for name in tables:
        with suppress(dynamodb.exceptions.ResourceNotFoundException):
            if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
                dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
                dynamodb.get_waiter("table_exists").wait(TableName=name)


def _delete_tables(names: list[str]) -> None:
    dynamodb = boto3.client("dynamodb")
    for name in names:
        with suppress(dynamodb.exceptions.ResourceNotFoundException):
            dynamodb.describe_table(TableName=name)
            dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig=_POLLING)
            dynamodb.delete_table(TableName=name)
            dynamodb.get_waiter("table_not_exists").wait(TableName=name)


def _take_settings(original: Workspace, workspace: Workspace) -> None:
    """Those that the original was deployed with."""
    if original.deployed_settings.exists():
        workspace.deployed_settings.write_bytes(original.deployed_settings.read_bytes())


def _apply_twice_if_need_be(workspace: Workspace, target: Target) -> None:
    """A cluster from a backup. Provider 5.100 makes it without its Data API, and turns that on when applied again."""
    try:
        return terraform.apply(workspace, target, reviews.deploying(workspace, target))
    except Failure as failure:
        if "HttpEndpoint" not in str(failure):
            raise
    progress(f"{workspace.pattern.name}: the cluster is there, and is applied again for its Data API")
    return terraform.apply(workspace, target, reviews.deploying(workspace, target))


def _write_root_module(workspace: Workspace, pattern: Pattern, ids: Mapping[str, str]) -> None:
    """One that takes over the tables with these names, by their addresses in the pattern's module, as a user of the
    module does it. All variables pass through. (`terraform import` fails at validations of what it does not know yet.)
    """
    folder = workspace.pattern.folder
    folder.mkdir(parents=True, exist_ok=True)
    declared = (pattern.folder / "variables.tf").read_text(encoding="utf-8")
    (folder / "variables.tf").write_text(declared, encoding="utf-8")
    given = {name: f"${{var.{name}}}" for name in _named("variable", declared)}
    offered = _named("output", (pattern.folder / "outputs.tf").read_text(encoding="utf-8"))
    configuration = {
        "module": {"store": {"source": os.path.relpath(pattern.folder, folder), **given}},
        "import": [{"to": f"module.store.{address}", "id": name} for address, name in ids.items()],
        "output": {name: {"value": f"${{module.store.{name}}}"} for name in offered},
    }
    (folder / "main.tf.json").write_text(json.dumps(configuration, indent=2), encoding="utf-8")


def _named(kind: str, text: str) -> list[str]:
    return re.findall(rf'^{kind} "(\w+)"', text, re.MULTILINE)


def _restore(workspace: Workspace, renamed: Mapping[str, str], at: datetime | None) -> None:
    """All tables to the same moment, at the same time."""
    dynamodb, pattern = boto3.client("dynamodb"), workspace.pattern
    windows = [dynamodb.describe_continuous_backups(TableName=table) for table in renamed]
    recovery = [window["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"] for window in windows]
    if not all("LatestRestorableDateTime" in window for window in recovery):
        raise Failure(f"{pattern.name}: its tables have no point-in-time recovery, so nothing can be restored.")
    to = at or min(window["LatestRestorableDateTime"] for window in recovery)
    for copy in renamed.values():
        with suppress(dynamodb.exceptions.ResourceNotFoundException):
            dynamodb.describe_table(TableName=copy)
            raise Failure(f"There is a table {copy}, and no drill of this checkout has made it: remove or rename it.")
    (workspace.folder / _TABLES).write_text(json.dumps([*renamed.values()]), encoding="utf-8")
    for table, copy in renamed.items():
        progress(f"{pattern.name}: restoring {table} as {copy}, as it was at {to.isoformat()}")
        dynamodb.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=copy, RestoreDateTime=to)
    for copy in renamed.values():
        dynamodb.get_waiter("table_exists").wait(TableName=copy, WaiterConfig=_POLLING)


def _check_settings(table: str, copy: str) -> None:
    """That the restored table has what a restore leaves out, as its original has it."""
    dynamodb = boto3.client("dynamodb")

    def settings(name: str) -> dict[str, Any]:
        described = dynamodb.describe_table(TableName=name)["Table"]
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        tags = dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"]
        return {
            "stream": described.get("StreamSpecification"),
            "recovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
            "tags": sorted((tag["Key"], tag["Value"]) for tag in tags),
        }

    if (wanted := settings(table)) != (found := settings(copy)):
        raise Failure(f"{copy} has {found}, and {table} has {wanted}: deploy the original again, and then the drill.")


if __name__ == "__main__":
    run(main)

"""Restores on the local AWS: of every pattern's tables to different moments, and the whole drill of one pattern.

The drill is that of `single_writer`, which has all that a restored table lacks: a stream, and who listens to it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from lambdas.eventstore.audits import Difference
from lambdas.eventstore.remote import RemoteEventStore
from lambdas.eventstore.retry import time_limit
from lambdas.eventstore.sequencing import runtime
from lambdas.eventstore.sequencing.store import from_environment
from lambdas.eventstore.wire import OPERATIONS
from testkit.aws_calls import Watch
from testkit.examples import Event, event, history
from testkit.harness import Environment, Harness, HarnessFor, eventually
from testkit.session import Session
from testkit.subjects import VISIBLE_SECONDS, InProcess
from tools import audit, restore_drill, terraform
from tools.console import Failure, UsageError
from tools.discovery import Pattern, patterns, select
from tools.restore_drill import Original, drill
from tools.targets import Target
from tools.workspaces import Workspace

OF_TABLES = [pattern for pattern in patterns() if not hasattr(audit.module(pattern), "restore_variables")]
SINGLE_WRITER = select("single_writer")[0]


@pytest.fixture
def services() -> None:
    """All of it on the local AWS, which alone restores tables."""


def now() -> datetime:
    """A moment after all that was, and before all that will be."""
    time.sleep(0.01)
    moment = datetime.now(UTC)
    time.sleep(0.01)
    return moment


def turn_recovery_on(*tables: str) -> None:
    for table in tables:
        boto3.client("dynamodb").update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )


def items(table: str) -> list[dict[str, Any]]:
    return sorted(boto3.client("dynamodb").scan(TableName=table)["Items"], key=str)


@dataclass
class Moments:
    """A store, and its moments: before its last two events, and after."""

    harness: Harness
    environment: Environment
    tables: dict[str, str]
    moments: tuple[datetime, datetime]


@pytest.fixture(params=OF_TABLES, ids=lambda pattern: pattern.name)
def store(request: pytest.FixtureRequest, harness_for: HarnessFor, watch: Watch) -> Iterator[Moments]:
    pattern: Pattern = request.param
    harness = harness_for(pattern.name)
    environment = harness.fresh()
    tables = {name: value for name, value in environment.items() if name in ("TABLE", "LOG_TABLE")}
    turn_recovery_on(*tables.values())
    opened = InProcess(harness.open(environment), pattern.sheet, harness, environment)
    opened.store(*history("ann", 3), event("josh", 1))
    opened.drain()
    before = now()
    opened.store(event("ann", 4))
    opened.store(event("josh", 2))
    opened.drain()
    yield Moments(harness, environment, tables, (before, now()))
    harness.discard(environment)


@pytest.mark.parametrize("moments", [(0, 0), (0, 1), (1, 0)], ids=["together", "the log later", "the events later"])
def test_tables_restored_to_different_moments_are_repaired_and_lose_nothing_that_one_of_them_has(
    store: Moments, moments: tuple[int, int]
) -> None:
    dynamodb, pattern = boto3.client("dynamodb"), select(store.harness.pattern)[0]
    before = {table: items(table) for table in store.tables.values()}
    restored = dict(store.environment)
    for name, moment in zip(sorted(store.tables, reverse=True), moments, strict=False):
        restored[name] = f"fresh-{uuid4().hex}"
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=store.tables[name], TargetTableName=restored[name], RestoreDateTime=store.moments[moment]
        )
    latest = max(moments[: len(store.tables)])
    if latest != min(moments[: len(store.tables)]):
        with pytest.raises(Difference, match="make repair"):
            audit.audit(pattern, restored, settle_seconds=0)

    audit.repair(pattern, restored, restored=True)

    count = 4 + 2 * latest
    assert audit.audit(pattern, restored, settle_seconds=0).startswith(f"{count} events of 2 aggregates, {count} in")
    opened = InProcess(store.harness.open(restored), pattern.sheet)
    original = InProcess(store.harness.open(store.environment), pattern.sheet)
    assert opened.tail(None)[0] == original.tail(None)[0][:count]
    assert len(opened.aggregate("ann")) == 3 + latest
    assert {table: items(table) for table in store.tables.values()} == before
    for name in store.tables:
        dynamodb.delete_table(TableName=restored[name])


@pytest.fixture
def live(session: Session, aws: None, watch: Watch) -> Iterator[Original]:
    """Tables as `single_writer` has them, under a name of their own; nothing wakes a sequencer."""
    dynamodb, name = boto3.client("dynamodb"), f"live-{uuid4().hex[:8]}"
    deployment = session.deployment(SINGLE_WRITER.name)
    tables = {deployment["outputs"]["table"]: name, deployment["outputs"]["log_table"]: f"{name}-log"}
    for definition in deployment["tables"]:
        dynamodb.create_table(**definition | {"TableName": tables[definition["TableName"]]})
    turn_recovery_on(*tables.values())
    environ = {variable: tables.get(value, value) for variable, value in deployment["environment"].items()}
    addresses = ("module.store.module.events", "module.store.module.log")
    of_module = (f"{address}.aws_dynamodb_table.this" for address in addresses)
    yield Original(name, environ, dict(zip(of_module, tables.values(), strict=True)))
    for table in tables.values():
        dynamodb.delete_table(TableName=table)


def sequence(live: Original, *events: Event) -> None:
    with time_limit(60):
        pointers = {event["aggregateId"]: event["aggregateVersion"] for event in events}
        outcome = runtime.sequencer(live.environ).sequence(pointers)
    assert outcome == ({}, {})


@pytest.mark.timeout(600)  # Terraform's provider waits half a minute after it has changed a table
def test_a_drill_makes_a_whole_store_of_the_backups_of_two_tables_and_touches_the_original_nowhere(
    live: Original, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dynamodb = boto3.client("dynamodb")
    target = Target("drill", "drill", dict(os.environ), {})
    settings = Workspace(SINGLE_WRITER, "drill", tmp_path).deployed_settings
    settings.parent.mkdir(parents=True)
    settings.write_text(f'name = "{live.name}"\ntags = {{ service = "orders" }}\n')
    workspace = Workspace(SINGLE_WRITER, "drill-restored", tmp_path)
    opened = InProcess(from_environment(live.environ), SINGLE_WRITER.sheet)
    opened.store(*history("ann", 3))
    sequence(live, event("ann", 3))
    # The table has lost what the log has, and the log does not have yet what the table has.
    key = {"aggregateId": {"S": "ann"}, "aggregateVersion": {"N": "2"}}
    lost = dynamodb.get_item(TableName=live.environ["TABLE"], Key=key)["Item"]
    dynamodb.delete_item(TableName=live.environ["TABLE"], Key=key)
    opened.store(event("ann", 4))
    moment = now()
    dynamodb.put_item(TableName=live.environ["TABLE"], Item=lost)
    opened.store(event("ann", 5))
    sequence(live, event("ann", 5))
    for table in live.tables.values():
        arn = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
        dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "service", "Value": "orders"}])
    before = {table: items(table) for table in live.tables.values()}

    with monkeypatch.context() as dying:
        dying.setattr(audit, "repair", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            drill(SINGLE_WRITER, live, target, moment, tmp_path, keep=True)
    assert drill(SINGLE_WRITER, live, target, moment, tmp_path, keep=True).startswith("4 events of 1 aggregates, 4 in")

    assert {table: items(table) for table in live.tables.values()} == before
    name = f"{live.name}-restored"
    for table in (name, f"{name}-log"):
        described = dynamodb.describe_table(TableName=table)["Table"]
        assert described["DeletionProtectionEnabled"]
    alarms = boto3.client("cloudwatch").describe_alarms(AlarmNamePrefix=name)["MetricAlarms"]
    assert {f"{name}-lag", f"{name}-failures", f"{name}-log-WriteThrottleEvents"} <= {it["AlarmName"] for it in alarms}
    functions = {operation: f"{name}-{operation.replace('_', '-')}" for operation in OPERATIONS}
    remote = RemoteEventStore(boto3.client("lambda"), functions)
    assert "events" in remote.call("store_events", {"events": [event("ann", 5, by="restored")]})

    def tailed() -> list[Event]:
        return list(remote.call("get_all_events", {})["events"])

    eventually(lambda: len(tailed()) == 5, VISIBLE_SECONDS, "the new event in the log, by stream and sequencer")
    assert [it["aggregateVersion"] for it in tailed()] == [1, 2, 3, 4, 5]
    assert tailed()[4]["metadata"] == {"by": "restored"}

    with pytest.raises(Failure, match="was restored and kept"):
        drill(SINGLE_WRITER, live, target, moment, tmp_path)
    (workspace.folder / "kept").unlink()
    drill_again = workspace.folder / SINGLE_WRITER.name
    restore_drill._clear(Workspace(Pattern(drill_again), workspace.target, tmp_path), target)
    assert not [table for table in dynamodb.list_tables()["TableNames"] if table.startswith(name)]
    assert not workspace.folder.exists()


def test_a_cluster_is_applied_again_when_it_was_made_without_its_data_api(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, target = Workspace(SINGLE_WRITER, "drill"), Target("drill", "drill", {}, {})
    failures = [None, Failure("aurora: apply failed: HttpEndpointNotEnabledException")]

    def apply(*_: Any) -> None:
        if failure := failures.pop():
            raise failure

    monkeypatch.setattr(terraform, "apply", apply)
    restore_drill._apply_twice_if_need_be(workspace, target)
    assert not failures
    failures = [Failure("aurora: apply failed: something else")]
    with pytest.raises(Failure, match="something else"):
        restore_drill._apply_twice_if_need_be(workspace, target)


@pytest.mark.parametrize("wrong", ["yesterday", "2026-11-25T02:00:00"])
def test_a_moment_without_a_time_zone_is_wrong_usage(wrong: str) -> None:
    with pytest.raises(UsageError, match="no moment: give AT="):
        restore_drill.moment(wrong)
    assert restore_drill.moment("2026-11-25T02:00:00Z") == datetime(2026, 11, 25, 2, tzinfo=UTC)
    assert restore_drill.moment("") is None

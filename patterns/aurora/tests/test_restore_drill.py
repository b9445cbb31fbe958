"""The restore that the README describes, with this module on the local AWS: a new store from a snapshot of this one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from lambdas.eventstore.remote import RemoteEventStore
from lambdas.eventstore.wire import OPERATIONS
from testkit.examples import event, new_id, versions
from testkit.session import Session
from tools.console import Failure
from tools.deploy import deploy
from tools.targets import Target

from .conftest import PATTERN


def store_of(outputs: dict[str, Any]) -> RemoteEventStore:
    return RemoteEventStore(boto3.client("lambda"), {operation: outputs[operation] for operation in OPERATIONS})


@pytest.mark.timeout(900)  # two applies, each of which waits for RDS
def test_a_store_is_restored_from_a_snapshot_and_readers_who_were_ahead_are_told(
    session: Session, aws: None, tmp_path: Path
) -> None:
    outputs, aggregate, snapshot = session.deployment(PATTERN.name)["outputs"], new_id(), f"drill-{uuid4().hex}"
    variables = {
        "name": f"restored-{uuid4().hex[:8]}",
        "deletion_protection": "false",
        "restore": json.dumps({"snapshot": snapshot}),
    }
    target = Target("drill", "drill", dict(os.environ), variables)  # the same AWS, which ends with the session
    original = store_of(outputs)
    [_, kept] = original.call("store_events", {"events": [event(aggregate, 1), event(aggregate, 2)]})["events"]
    boto3.client("rds").create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier=snapshot, DBClusterIdentifier=outputs["cluster_arn"].rpartition(":")[2]
    )
    [lost] = original.call("store_events", {"events": [event(aggregate, 3, by="original")]})["events"]

    # Provider 5.100 makes a restored cluster without its Data API, and turns that on when it is applied again.
    with pytest.raises(Failure, match="HttpEndpoint"):
        deploy(PATTERN, target, tmp_path)
    restored = store_of(deploy(PATTERN, target, tmp_path))

    read = restored.call("get_aggregate_events", {"aggregateId": aggregate})["events"]
    assert versions(read) == [1, 2]
    refused = restored.call("get_all_events", {"after": lost["offset"]})["error"]
    assert (refused["code"], refused["path"]) == ("InvalidRequest", "/after")
    [new] = restored.call("store_events", {"events": [event(aggregate, 3, by="restored")]})["events"]
    page = restored.call("get_all_events", {"after": kept["offset"]})["events"]
    assert [read for read in page if read["aggregateId"] == aggregate] == [new]
    assert int(new["offset"].split("-")[0]) > int(lost["offset"].split("-")[0])

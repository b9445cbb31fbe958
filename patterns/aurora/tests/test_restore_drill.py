"""A cluster restored from a snapshot, as the module does it: what the store in it holds, refuses and gives out.

That Terraform makes these calls, in these steps, `make restore-drill PATTERN=aurora` shows; it takes minutes, in which
the provider waits between polls.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace
from unittest.mock import patch
from uuid import uuid4

import boto3
import pytest

from testkit.aws_calls import Watch
from testkit.examples import event, new_id, versions
from testkit.harness import Environment
from testkit.schedules import Scene

from .. import audit, migrate
from .harness import Harness


@pytest.fixture
def restored(own: Harness, scene: Scene, watch: Watch) -> Iterator[tuple[Scene, dict[str, str]]]:
    """The scene's store with two events of an aggregate and a third after the snapshot, and the one made from that."""
    rds, name, aggregate = boto3.client("rds"), f"drill-{uuid4().hex}", new_id()
    move_in(scene.environment, "original", restored=False)
    [_, kept] = scene.open().store(event(aggregate, 1), event(aggregate, 2))
    source = scene.environment["CLUSTER_ARN"].rpartition(":")[2]
    rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=source)
    [lost] = scene.open().store(event(aggregate, 3, by="original"))
    engine = {"Engine": "aurora-postgresql", "DBClusterIdentifier": name}
    made = rds.restore_db_cluster_from_snapshot(**engine, SnapshotIdentifier=name)["DBCluster"]
    rds.create_db_instance(**engine, DBInstanceIdentifier=name, DBInstanceClass="db.serverless")
    rds.modify_db_cluster(DBClusterIdentifier=name, ManageMasterUserPassword=True, ApplyImmediately=True)
    rds.enable_http_endpoint(ResourceArn=made["DBClusterArn"])
    [cluster] = rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    environment = {
        **scene.environment,
        "CLUSTER_ARN": cluster["DBClusterArn"],
        "SECRET_ARN": cluster["MasterUserSecret"]["SecretArn"],
    }
    reader = move_in(environment, cluster["DbClusterResourceId"], restored=True)
    told = {"aggregate": aggregate, "kept": kept["offset"], "lost": lost["offset"], "reader": reader}
    yield Scene(own, environment, watch, scene._sheet), told
    rds.delete_db_instance(DBInstanceIdentifier=name)
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)


def move_in(environment: Environment, cluster: str, *, restored: bool) -> str:
    """What Terraform has the function `migrate` do. The ARN of the readers' secret, which is new as the writer's is."""
    made = [boto3.client("secretsmanager").create_secret(Name=f"drill-{uuid4().hex}")["ARN"] for _ in range(2)]
    logins = dict(zip(("WRITER_SECRET_ARN", "READER_SECRET_ARN"), made, strict=True))
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
    with patch.dict(os.environ, {**environment, "CLUSTER_ID": cluster, **logins}):
        migrate.handler({"restored": restored}, context)
    return str(logins["READER_SECRET_ARN"])


def test_a_store_is_restored_from_a_snapshot_and_readers_who_were_ahead_are_told(
    scene: Scene, restored: tuple[Scene, dict[str, str]]
) -> None:
    store, told = restored
    aggregate = told["aggregate"]

    assert versions(store.open().aggregate(aggregate)) == [1, 2]
    refused = store.open().answer("get_all_events", {"after": told["lost"]})["error"]
    assert (refused["code"], refused["path"]) == ("InvalidRequest", "/after")
    store.open().store(event(aggregate, 3, by="restored"))
    [new] = store.log(told["kept"])
    assert new["metadata"] == {"by": "restored"}
    assert int(new["offset"].split("-")[0]) > int(told["lost"].split("-")[0])
    as_reader = {**store.environment, "SECRET_ARN": told["reader"]}
    assert "; restored, noted 20" in audit.audit(as_reader, lambda line: None, 0)

    assert versions(scene.open().aggregate(aggregate)) == [1, 2, 3], "the original goes on"

"""Snapshots and restores bring a cluster's data along, and its transaction ids, as RDS does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.control import LocalAws
from tests.local.data_api.conftest import Database, client

RESTORED = "restored"
NEXT_ID = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


@pytest.fixture
def restore(aws_with_databases: LocalAws) -> Iterator[Callable[..., Database]]:
    """A cluster made by this call of RDS, made usable by the steps that AWS wants."""
    rds = client(aws_with_databases, "rds")

    def make(operation: str, **source: Any) -> Database:
        cluster = getattr(rds, operation)(DBClusterIdentifier=RESTORED, **source)["DBCluster"]
        assert not cluster["HttpEndpointEnabled"]
        rds.create_db_instance(
            DBInstanceIdentifier=f"{RESTORED}-writer",
            DBClusterIdentifier=RESTORED,
            Engine="aurora-postgresql",
            DBInstanceClass="db.serverless",
        )
        rds.modify_db_cluster(DBClusterIdentifier=RESTORED, ManageMasterUserPassword=True, ApplyImmediately=True)
        rds.enable_http_endpoint(ResourceArn=cluster["DBClusterArn"])
        [cluster] = rds.describe_db_clusters(DBClusterIdentifier=RESTORED)["DBClusters"]
        secret = cluster["MasterUserSecret"]["SecretArn"]
        return Database(aws_with_databases, client(aws_with_databases, "rds-data"), cluster["DBClusterArn"], secret)

    yield make
    rds.delete_db_instance(DBInstanceIdentifier=f"{RESTORED}-writer")
    rds.delete_db_cluster(DBClusterIdentifier=RESTORED, SkipFinalSnapshot=True)


@pytest.fixture
def original(new_database: Database) -> Database:
    new_database.execute("CREATE TABLE entries (id int)")
    new_database.execute("INSERT INTO entries SELECT generate_series(1, 1000)")
    return new_database


def name_of(database: Database) -> str:
    return database.arn.rpartition(":")[2]


def test_a_snapshot_is_of_its_moment_ids_included(original: Database, restore: Callable[..., Database]) -> None:
    [[before]] = original.rows(NEXT_ID)
    client(original.aws, "rds").create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier="moment", DBClusterIdentifier=name_of(original)
    )
    for number in (1001, 1002, 1003):
        original.execute(f"INSERT INTO entries VALUES ({number})")

    restored = restore("restore_db_cluster_from_snapshot", SnapshotIdentifier="moment", Engine="aurora-postgresql")

    assert restored.rows("SELECT count(*) FROM entries") == [[1000]]
    [[after]] = restored.rows(NEXT_ID)
    assert before <= after
    restored.execute("INSERT INTO entries VALUES (1)")
    assert original.rows("SELECT count(*) FROM entries") == [[1003]]


def test_a_final_snapshot_outlives_its_cluster(original: Database, restore: Callable[..., Database]) -> None:
    rds = client(original.aws, "rds")
    rds.delete_db_instance(DBInstanceIdentifier=f"{name_of(original)}-writer")
    rds.delete_db_cluster(DBClusterIdentifier=name_of(original), FinalDBSnapshotIdentifier="final")

    restored = restore("restore_db_cluster_from_snapshot", SnapshotIdentifier="final", Engine="aurora-postgresql")

    assert restored.rows("SELECT count(*) FROM entries") == [[1000]]


def test_a_cluster_is_restored_to_now(original: Database, restore: Callable[..., Database]) -> None:
    transaction = original.begin()
    original.execute("INSERT INTO entries VALUES (1001)", transactionId=transaction)

    restored = restore(
        "restore_db_cluster_to_point_in_time",
        SourceDBClusterIdentifier=name_of(original),
        UseLatestRestorableTime=True,
    )

    original.commit(transaction)
    assert restored.rows("SELECT count(*) FROM entries") == [[1000]], "what was open is rolled back"


def test_what_is_not_there_is_not_restored(aws_with_databases: LocalAws) -> None:
    rds = client(aws_with_databases, "rds")
    with pytest.raises(ClientError, match="DBClusterSnapshotNotFoundFault"):
        rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier="x", SnapshotIdentifier="never", Engine="aurora-postgresql"
        )
    with pytest.raises(ClientError, match="DBClusterNotFoundFault"):
        rds.restore_db_cluster_to_point_in_time(
            DBClusterIdentifier="x", SourceDBClusterIdentifier="never", UseLatestRestorableTime=True
        )

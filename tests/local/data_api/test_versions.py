"""Engine versions as RDS keeps them, on which a deployment that pins one can fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.control import LocalAws
from tests.local.data_api.conftest import client, control

NAME = "versioned"


class Cluster:
    """Of one instance."""

    def __init__(self, aws: LocalAws, version: str, *, auto_upgrade: bool) -> None:
        self.aws, self.rds = aws, client(aws, "rds")
        engine = {"Engine": "aurora-postgresql", "DBClusterIdentifier": NAME}
        self.arn = self.rds.create_db_cluster(
            **engine, EngineVersion=version, MasterUsername="keeper", ManageMasterUserPassword=True
        )["DBCluster"]["DBClusterArn"]
        self.rds.create_db_instance(
            **engine, DBInstanceIdentifier=NAME, DBInstanceClass="db.serverless", AutoMinorVersionUpgrade=auto_upgrade
        )

    def modify(self, version: str) -> None:
        self.rds.modify_db_cluster(DBClusterIdentifier=NAME, EngineVersion=version, ApplyImmediately=True)

    def maintenance(self, version: str) -> None:
        control(self.aws, upgrade={"resourceArn": self.arn, "version": version})

    @property
    def versions(self) -> tuple[str, str]:
        """Of the cluster and of its instance."""
        [cluster] = self.rds.describe_db_clusters(DBClusterIdentifier=NAME)["DBClusters"]
        [instance] = self.rds.describe_db_instances(DBInstanceIdentifier=NAME)["DBInstances"]
        return cluster["EngineVersion"], instance["EngineVersion"]


@pytest.fixture
def create(aws_with_databases: LocalAws) -> Iterator[Any]:
    yield lambda version, auto_upgrade=True: Cluster(aws_with_databases, version, auto_upgrade=auto_upgrade)
    rds = client(aws_with_databases, "rds")
    rds.delete_db_instance(DBInstanceIdentifier=NAME)
    rds.delete_db_cluster(DBClusterIdentifier=NAME, SkipFinalSnapshot=True)


@pytest.mark.parametrize("wanted", ["16.8", "16.9", "15.18", "15"])
def test_a_downgrade_is_refused_as_aws_words_it(create: Any, wanted: str) -> None:
    cluster = create("16.11")

    with pytest.raises(ClientError, match=f"Cannot upgrade aurora-postgresql from 16.11 to {wanted}") as refused:
        cluster.modify(wanted)

    assert refused.value.response["Error"]["Code"] == "InvalidParameterCombination"
    assert cluster.versions == ("16.11", "16.11")


def test_an_upgrade_takes_the_instances_along(create: Any) -> None:
    cluster = create("16.8")
    cluster.modify("16.11")
    assert cluster.versions == ("16.11", "16.11")


def test_a_major_version_alone_stands_for_one_of_its_minor_ones_and_changes_none(create: Any) -> None:
    cluster = create("16")
    assert cluster.versions == ("16.11", "16.11")
    cluster.modify("16")
    assert cluster.versions == ("16.11", "16.11")


def test_maintenance_upgrades_a_cluster_that_allows_it(create: Any) -> None:
    cluster = create("16.8")
    cluster.maintenance("16.11")
    assert cluster.versions == ("16.11", "16.11")


def test_maintenance_leaves_a_cluster_alone_that_does_not_allow_it(create: Any) -> None:
    cluster = create("16.8", auto_upgrade=False)
    cluster.maintenance("16.11")
    assert cluster.versions == ("16.8", "16.8")


def test_whether_maintenance_is_allowed_can_be_changed(create: Any) -> None:
    cluster = create("16.8")
    cluster.rds.modify_db_instance(DBInstanceIdentifier=NAME, AutoMinorVersionUpgrade=False)
    cluster.maintenance("16.11")
    assert cluster.versions == ("16.8", "16.8")


@pytest.mark.parametrize("version", ["16.8", "16.4", "17.7"])
def test_maintenance_knows_newer_minor_versions_only(create: Any, version: str) -> None:
    cluster = create("16.8")
    with pytest.raises(ValueError, match=r"no minor upgrade of 16\.8"):
        cluster.maintenance(version)


def test_a_cluster_whose_password_rds_manages_has_no_blue_green_deployment(create: Any) -> None:
    cluster = create("16.8")
    with pytest.raises(ClientError, match="managed with Secrets Manager") as refused:
        cluster.rds.create_blue_green_deployment(BlueGreenDeploymentName="next", Source=cluster.arn)
    assert refused.value.response["Error"]["Code"] == "SourceClusterNotSupportedFault"

"""AWS moves a cluster that allows it to newer minor versions, and refuses the way back to an exact one."""

from __future__ import annotations

import json
import os
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from testkit.session import Session

from .conftest import PATTERN


def maintenance(arn: str, version: str) -> None:
    """The maintenance window, in which this is the minor version that AWS upgrades to by itself."""
    order = json.dumps({"upgrade": {"resourceArn": arn, "version": version}}).encode()
    request = urllib.request.Request(f"{os.environ['AWS_ENDPOINT_URL']}/_local/data-api", data=order)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def versions_of(rds: Any, cluster: str) -> set[str]:
    """Of the cluster and its instances."""
    [found] = rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"]
    of_cluster = [{"Name": "db-cluster-id", "Values": [cluster]}]
    instances = rds.describe_db_instances(Filters=of_cluster)["DBInstances"]
    return {found["EngineVersion"], *(instance["EngineVersion"] for instance in instances)}


def test_a_deployed_cluster_of_an_exact_version_is_not_upgraded_behind_terraforms_back(
    session: Session, aws: None
) -> None:
    arn, rds = session.deployment(PATTERN.name)["outputs"]["cluster_arn"], boto3.client("rds")
    assert versions_of(rds, arn.rpartition(":")[2]) == {"16.8"}

    maintenance(arn, "16.11")

    assert versions_of(rds, arn.rpartition(":")[2]) == {"16.8"}


def test_a_cluster_that_was_upgraded_could_not_go_back_to_the_version_that_terraform_knows(aws: None) -> None:
    rds, name = boto3.client("rds"), "upgraded"
    engine = {"Engine": "aurora-postgresql", "DBClusterIdentifier": name}
    arn = rds.create_db_cluster(**engine, EngineVersion="16.8", MasterUsername="events", ManageMasterUserPassword=True)[
        "DBCluster"
    ]["DBClusterArn"]
    rds.create_db_instance(**engine, DBInstanceIdentifier=name, DBInstanceClass="db.serverless")
    try:
        maintenance(arn, "16.11")
        with pytest.raises(ClientError, match=r"Cannot upgrade aurora-postgresql from 16\.11 to 16\.8"):
            rds.modify_db_cluster(DBClusterIdentifier=name, EngineVersion="16.8", ApplyImmediately=True)
    finally:
        rds.delete_db_instance(DBInstanceIdentifier=name)
        rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)

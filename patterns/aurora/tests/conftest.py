"""A cluster of these tests' own: they hold transactions open and pause it, which all others would feel."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest

from testkit.aws_calls import Watch
from testkit.harness import Environment
from testkit.schedules import Scene
from tools.discovery import containing

from .harness import Harness

PATTERN = containing(__file__)


@pytest.fixture(scope="session")
def cluster(aws: None) -> Iterator[Environment]:
    """As the environment of a store would name it."""
    rds, name = boto3.client("rds"), f"own-{uuid4().hex}"
    engine = {"Engine": "aurora-postgresql", "DBClusterIdentifier": name}
    made = rds.create_db_cluster(
        **engine,
        DatabaseName="events",
        MasterUsername="events",
        ManageMasterUserPassword=True,
        EnableHttpEndpoint=True,
        ServerlessV2ScalingConfiguration={"MinCapacity": 0, "MaxCapacity": 1, "SecondsUntilAutoPause": 300},
    )["DBCluster"]
    rds.create_db_instance(**engine, DBInstanceIdentifier=name, DBInstanceClass="db.serverless")
    yield {
        "CLUSTER_ARN": made["DBClusterArn"],
        "SECRET_ARN": made["MasterUserSecret"]["SecretArn"],
        "DATABASE": made["DatabaseName"],
    }
    rds.delete_db_instance(DBInstanceIdentifier=name)
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)


@pytest.fixture
def own(cluster: Environment, watch: Watch) -> Harness:
    harness = Harness(PATTERN.name, cluster)
    harness.reuses = False
    return harness


@pytest.fixture
def scene(own: Harness, watch: Watch) -> Iterator[Scene]:
    """An empty store."""
    environment = own.fresh()
    yield Scene(own, environment, watch, PATTERN.sheet)
    own.discard(environment)


@pytest.fixture
def rows(own: Harness, scene: Scene) -> Callable[..., list[list[Any]]]:
    """Asks the database of the store."""
    return lambda sql, **parameters: own.rows(scene.environment, sql, **parameters)


@pytest.fixture
def pause_cluster(cluster: Environment) -> Callable[[float], None]:
    """Puts the cluster to sleep. It takes so many seconds to wake up, from the first call on."""

    def pause(seconds: float) -> None:
        order = {"pause": {"resourceArn": cluster["CLUSTER_ARN"], "seconds": seconds}}
        request = urllib.request.Request(
            f"{os.environ['AWS_ENDPOINT_URL']}/_local/data-api", data=json.dumps(order).encode()
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200

    return pause

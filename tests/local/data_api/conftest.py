"""A local AWS with an Aurora cluster in it, shared by the tests of its Data API."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.control import LocalAws

_numbers = count(1)


@dataclass(frozen=True)
class Database:
    """A cluster, seen through the Data API by someone with these credentials."""

    aws: LocalAws
    client: Any
    arn: str
    secret: str

    @property
    def names(self) -> dict[str, str]:
        return {"resourceArn": self.arn, "secretArn": self.secret}

    def execute(self, sql: str, parameters: dict[str, Any] | None = None, **members: Any) -> Any:
        """The whole answer. `parameters` are `Field`s by name, or pairs of a `Field` and a type hint."""
        named = [_parameter(name, value) for name, value in (parameters or {}).items()]
        return self.client.execute_statement(
            **{**self.names, "database": "events", "parameters": named, **members}, sql=sql
        )

    def rows(self, sql: str, parameters: dict[str, Any] | None = None, **members: Any) -> list[list[Any]]:
        """The values of all rows; None for NULL."""
        records = self.execute(sql, parameters, **members)["records"]
        return [[None if "isNull" in field else next(iter(field.values())) for field in row] for row in records]

    def begin(self) -> str:
        return str(self.client.begin_transaction(**self.names, database="events")["transactionId"])

    def commit(self, transaction: str) -> Any:
        return self.client.commit_transaction(**self.names, transactionId=transaction)

    def roll_back(self, transaction: str) -> Any:
        return self.client.rollback_transaction(**self.names, transactionId=transaction)

    def refused(self, call: Callable[..., Any], *arguments: Any, **members: Any) -> tuple[str, str]:
        """The error's code and message."""
        with pytest.raises(ClientError) as caught:
            call(*arguments, **members)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]


def _parameter(name: str, value: Any) -> dict[str, Any]:
    field, hint = value if isinstance(value, tuple) else (value, None)
    return {"name": name, "value": field} | ({"typeHint": hint} if hint else {})


@pytest.fixture(scope="session")
def aws_with_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    aws = LocalAws.start(tmp_path_factory.mktemp("data-api") / "state")
    yield aws
    aws.stop()


@pytest.fixture(scope="session")
def database(aws_with_databases: LocalAws) -> Database:
    return create_cluster(aws_with_databases)


@pytest.fixture
def new_database(aws_with_databases: LocalAws) -> Iterator[Database]:
    database = create_cluster(aws_with_databases)
    yield database
    with suppress(ClientError):  # a test may have deleted it
        delete_cluster(database)


@pytest.fixture
def table(database: Database) -> str:
    name = f"table_{next(_numbers)}"
    database.execute(f"CREATE TABLE {name} (id int PRIMARY KEY, note text)")
    return name


@pytest.fixture
def limits(aws_with_databases: LocalAws) -> Iterator[Callable[..., None]]:
    """Sets limits of the Data API for one test."""
    before = control(aws_with_databases)["limits"]
    yield lambda **changed: control(aws_with_databases, limits=changed)
    control(aws_with_databases, limits=before)


def create_cluster(aws: LocalAws) -> Database:
    rds, name = client(aws, "rds"), f"cluster-{next(_numbers)}"
    cluster = rds.create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        EngineVersion="16.14",
        DatabaseName="events",
        MasterUsername="keeper",
        ManageMasterUserPassword=True,
        EnableHttpEndpoint=True,
        ServerlessV2ScalingConfiguration={"MinCapacity": 0, "MaxCapacity": 1, "SecondsUntilAutoPause": 300},
    )["DBCluster"]
    rds.create_db_instance(
        DBInstanceIdentifier=f"{name}-writer",
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        DBInstanceClass="db.serverless",
    )
    return Database(aws, client(aws, "rds-data"), cluster["DBClusterArn"], cluster["MasterUserSecret"]["SecretArn"])


def delete_cluster(database: Database) -> None:
    rds, name = client(database.aws, "rds"), database.arn.rpartition(":")[2]
    rds.delete_db_instance(DBInstanceIdentifier=f"{name}-writer")
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)


def client(aws: LocalAws, service: Any, key: str = "test", secret: str = "test") -> Any:
    """Without retries and without checks of its own, so that the tests see what the server says."""
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        region_name=aws.environment["AWS_REGION"],
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False, max_pool_connections=50),
    )


def control(aws: LocalAws, **order: Any) -> Any:
    """Orders something of the local Data API; answers with its state. Raises ValueError if it refuses."""
    request = urllib.request.Request(f"{aws.endpoint}/_local/data-api")
    if order:
        request.data = json.dumps(order).encode()
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            raise ValueError(json.load(error)["message"]) from None


def socket_directory(database: Database) -> Path:
    servers = control(database.aws)["servers"]
    [directory] = [server["socketDirectory"] for server in servers if server["resourceArn"] == database.arn]
    return Path(directory)

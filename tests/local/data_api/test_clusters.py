"""The PostgreSQL servers behind the clusters: when they come, and that they go."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from local.control import LocalAws
from tests.local.conftest import client
from tests.local.data_api.conftest import Database, control, create_cluster, delete_cluster, socket_directory


def test_a_local_aws_without_databases_runs_no_postgresql(aws: LocalAws) -> None:
    client(aws, "rds").describe_db_clusters()
    assert programs_below(aws) == []


def test_a_server_starts_with_its_cluster(new_database: Database) -> None:
    def ready() -> bool:
        return new_database.arn in [server["resourceArn"] for server in control(new_database.aws)["servers"]]

    eventually(ready)


def test_calls_that_come_at_once_start_one_server(new_database: Database) -> None:
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(lambda _: new_database.rows("SELECT 1"), range(10))) == [[[1]]] * 10
    servers = [server["resourceArn"] for server in control(new_database.aws)["servers"]]
    assert servers.count(new_database.arn) == 1


def test_clusters_share_nothing(database: Database, new_database: Database, table: str) -> None:
    """Not even the horizon below which all transactions are over, which a reader of events relies on."""
    transaction = database.begin()
    database.execute(f"INSERT INTO {table} VALUES (1)", transactionId=transaction)
    for each in (database, new_database):
        each.execute("CREATE TABLE IF NOT EXISTS mine (id int)")
    horizon = "SELECT pg_snapshot_xmin(s) = pg_snapshot_xmax(s) FROM pg_current_snapshot() s"
    assert new_database.rows(horizon) == [[True]]
    assert database.rows(horizon) == [[False]]
    assert new_database.refused(new_database.execute, f"SELECT * FROM {table}")[1].endswith("SQLState: 42P01")
    database.roll_back(transaction)


def test_a_server_listens_on_no_network(database: Database) -> None:
    database.rows("SELECT 1")
    for program in programs_below(database.aws):
        with suppress(psutil.NoSuchProcess):  # servers end helpers of theirs all the time
            assert program.net_connections(kind="inet") == []
    assert socket_directory(database).stat().st_mode & 0o077 == 0


def test_a_server_ends_with_its_cluster(new_database: Database) -> None:
    new_database.rows("SELECT 1")
    directory = socket_directory(new_database)
    delete_cluster(new_database)
    assert new_database.refused(new_database.execute, "SELECT 1")[0] == "HttpEndpointNotEnabledException"
    eventually(lambda: not directory.exists())


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_ends_with_the_local_aws_however_that_ends(tmp_path: Path, end: signal.Signals) -> None:
    aws = LocalAws.start(tmp_path / "state")
    try:
        database = create_cluster(aws)
        database.rows("SELECT 1")
        directory, programs = socket_directory(database), programs_below(aws)
        assert programs
        os.kill(aws.pid, end)
        eventually(lambda: not directory.exists() and not any(program.is_running() for program in programs))
    finally:
        aws.stop()


def test_what_a_killed_guard_left_is_removed_by_the_next(tmp_path: Path) -> None:
    aws = LocalAws.start(tmp_path / "state")
    try:
        first = create_cluster(aws)
        first.rows("SELECT 1")
        directory = socket_directory(first)
        [number] = [server["guard"] for server in control(aws)["servers"] if server["resourceArn"] == first.arn]
        guard = psutil.Process(number)
        postgres = guard.children(recursive=True)
        os.kill(guard.pid, signal.SIGKILL)
        os.utime(directory, (time.time() - 3600,) * 2)
        create_cluster(aws).rows("SELECT 1")
        eventually(lambda: not directory.exists())
        for program in postgres:  # they would stop by themselves, within a minute
            with suppress(psutil.NoSuchProcess):
                program.kill()
    finally:
        aws.stop()


def test_a_paused_cluster_wakes_up_when_it_is_called(new_database: Database) -> None:
    database = new_database
    database.rows("SELECT 1")
    control(database.aws, pause={"resourceArn": database.arn, "seconds": 0.5})
    time.sleep(0.6)  # nobody calls it, so it sleeps on
    code, message = database.refused(database.execute, "SELECT 1")
    assert code == "DatabaseResumingException"
    assert "is resuming after being auto-paused. Please wait a few seconds and try again." in message
    assert database.refused(database.begin)[0] == "DatabaseResumingException"
    time.sleep(0.6)
    assert database.rows("SELECT 1") == [[1]]


@pytest.mark.parametrize("order", [{"pause": {}}, {"limits": {"nonsense": 1}}])
def test_an_order_that_is_not_understood_is_refused(database: Database, order: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Error"):
        control(database.aws, **order)


def test_a_cluster_without_a_data_api_or_a_writer_is_refused(aws_with_databases: LocalAws) -> None:
    rds, data = client(aws_with_databases, "rds"), client(aws_with_databases, "rds-data")
    code = {}
    for name, enabled in (("closed", False), ("open", True)):
        cluster = rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            MasterUsername="keeper",
            ManageMasterUserPassword=True,
            EnableHttpEndpoint=enabled,
        )["DBCluster"]
        database = Database(aws_with_databases, data, cluster["DBClusterArn"], cluster["MasterUserSecret"]["SecretArn"])
        code[name] = database.refused(database.execute, "SELECT 1")[0]
    assert code == {"closed": "HttpEndpointNotEnabledException", "open": "DatabaseNotFoundException"}


def test_the_emulator_remembers_when_a_cluster_is_to_pause(database: Database) -> None:
    name = database.arn.rpartition(":")[2]
    [cluster] = client(database.aws, "rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    assert cluster["ServerlessV2ScalingConfiguration"]["SecondsUntilAutoPause"] == 300


def test_an_idle_transaction_ends_when_the_parameter_group_says_so(new_database: Database) -> None:
    rds, name, group = client(new_database.aws, "rds"), new_database.arn.rpartition(":")[2], "impatient"
    new_database.execute("CREATE TABLE entries (id int)")
    assert new_database.rows("SHOW idle_in_transaction_session_timeout") == [["1d"]]
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName=group, DBParameterGroupFamily="aurora-postgresql16", Description=group
    )
    idle = {"ParameterName": "idle_in_transaction_session_timeout", "ParameterValue": "200", "ApplyMethod": "immediate"}
    rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=group, Parameters=[idle])
    rds.modify_db_cluster(DBClusterIdentifier=name, DBClusterParameterGroupName=group)
    eventually(lambda: new_database.rows("SHOW idle_in_transaction_session_timeout") == [["200ms"]])

    transaction = new_database.begin()
    new_database.execute("INSERT INTO entries VALUES (1)", transactionId=transaction)
    open_ones = "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
    eventually(lambda: new_database.rows(open_ones) == [[0]])

    assert new_database.rows("SELECT count(*) FROM entries") == [[0]]


def programs_below(aws: LocalAws) -> list[psutil.Process]:
    """The guards and PostgreSQL programs that this local AWS has started."""
    below = psutil.Process(aws.pid).children(recursive=True)
    return [program for program in below if {"guard.py", "postgres"} & names(program)]


def names(program: psutil.Process) -> set[str]:
    return {Path(word.rstrip(":")).name for word in " ".join(program.cmdline()).split()}


def eventually(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)

"""The suite's `aurora` stores: a database each, in the deployed cluster, made by the pattern's own migrations.

A cluster has one sequence of transaction ids, whatever the number of databases: a transaction that any test holds open
keeps the events of all from readers. So events are waited for, and tests that hold one belong in one file.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.eventstore import EventStore, wire
from lambdas.eventstore.retry import time_limit
from testkit import harness
from testkit.examples import Event, event, new_id
from testkit.harness import Environment, eventually
from testkit.schedules import Scene

from .. import migrate, store
from ..data_api import Database

_FRESH = "fresh_"
_EMPTY = """
DO $empty$
BEGIN
    ALTER TABLE events DISABLE TRIGGER events_are_facts;
    TRUNCATE events;
    ALTER TABLE events ENABLE TRIGGER events_are_facts;
    ALTER SEQUENCE event_positions RESTART;
END;
$empty$
"""
_DRAIN_SECONDS = 60.0


class Harness(harness.Harness):
    # Offsets, which begin with a transaction id of the cluster's, and the numbers of a statement's parameters. An
    # offset is a whole value: parts of a UUID, such as that in the name of the cluster's secret, can look like one.
    counted = r"(?<=\"stringValue\":\")\d+-\d+(?=\")|(?<=\"longValue\":)\d+"

    reuses = True
    """Whether stores that are done with are emptied, and given again: making a database takes forty times as long. Not
    where a test changes more than events."""

    _emptied: ClassVar[dict[str, list[str]]] = defaultdict(list)
    """Databases without events, by cluster."""

    def __init__(self, pattern: str, deployed: Mapping[str, str]) -> None:
        # A back door opens with the master user's secret, and so does a store in this process, which does everything.
        [cluster] = boto3.client("rds").describe_db_clusters(DBClusterIdentifier=deployed["CLUSTER_ARN"])["DBClusters"]
        super().__init__(pattern, {**deployed, "SECRET_ARN": cluster["MasterUserSecret"]["SecretArn"]})
        self.client: Any = boto3.client("rds-data", config=Config(read_timeout=60, retries={"total_max_attempts": 1}))

    def fresh(self) -> Environment:
        if self.reuses and self._emptied[self.deployed["CLUSTER_ARN"]]:
            return {**self.deployed, "DATABASE": self._emptied[self.deployed["CLUSTER_ARN"]].pop()}
        environment = {**self.deployed, "DATABASE": f"{_FRESH}{uuid4().hex}"}
        self.rows(dict(self.deployed), f"CREATE DATABASE {environment['DATABASE']}")
        with time_limit(60):
            migrate.migrate(self.database(environment))
        return environment

    def discard(self, environment: Environment) -> None:
        if self.reuses:
            self.rows(environment, _EMPTY)
            self._emptied[self.deployed["CLUSTER_ARN"]].append(environment["DATABASE"])
        elif environment["DATABASE"].startswith(_FRESH):
            self.rows(dict(self.deployed), f"DROP DATABASE {environment['DATABASE']} WITH (FORCE)")

    def drain(self, environment: Environment) -> None:
        """Waits until all transactions that were open have ended."""
        undrained = "SELECT count(*) FROM events WHERE transaction_id >= settled()"
        eventually(lambda: self.rows(environment, undrained) == [[0]], _DRAIN_SECONDS, "older transactions to end")

    def stored(self, environment: Environment) -> list[Event]:
        rows = self.rows(
            environment,
            "SELECT aggregate_id, aggregate_version, event_id, event_type, event_version, metadata FROM events",
        )
        names = ("aggregateId", "aggregateVersion", "eventId", "eventType", "eventVersion", "metadata")
        return [dict(zip(names, [*row[:-1], json.loads(row[-1])], strict=True)) for row in rows]

    def tamper(self, environment: Environment, aggregate_id: str, version: int) -> None:
        self.rows(environment, "ALTER TABLE events DISABLE TRIGGER events_are_facts")
        self.rows(
            environment,
            "UPDATE events SET metadata = '{\"tampered\": true}'"
            " WHERE aggregate_id = :aggregate AND aggregate_version = :version",
            aggregate=aggregate_id,
            version=version,
        )
        self.rows(environment, "ALTER TABLE events ENABLE TRIGGER events_are_facts")

    def database(self, environment: Environment) -> Database:
        """The pattern's own way to the database, without the suite's watch."""
        names = (environment[name] for name in ("CLUSTER_ARN", "SECRET_ARN", "DATABASE"))
        return Database(lambda _: self.client, *names)

    def rows(self, environment: Environment, sql: str, /, **parameters: str | int | None) -> list[list[Any]]:
        with time_limit(60):
            return self.database(environment).execute(sql, **parameters)

    def open_transaction(self, environment: Mapping[str, str]) -> Transaction:
        return Transaction(self.client, environment)


class Transaction:
    """A transaction of the Data API, held open until it is told to commit."""

    def __init__(self, client: Any, environment: Mapping[str, str]) -> None:
        self._client = client
        self._names = {"resourceArn": environment["CLUSTER_ARN"], "secretArn": environment["SECRET_ARN"]}
        self._database = environment["DATABASE"]
        self._id = client.begin_transaction(**self._names, database=self._database)["transactionId"]

    def execute_statement(self, **call: Any) -> dict[str, Any]:
        """As a client of the service does it, but within the transaction."""
        answer: dict[str, Any] = self._client.execute_statement(**call, transactionId=self._id)
        return answer

    def store(self, environment: Environment) -> EventStore:
        """The pattern's store, whose appends become visible when this commits."""
        names = (environment[name] for name in ("CLUSTER_ARN", "SECRET_ARN", "DATABASE"))
        return store.AuroraEventStore(Database(lambda _: self, *names))

    def rows(self, sql: str, /, **parameters: str | int | None) -> list[list[Any]]:
        with time_limit(60):
            names = (self._names["resourceArn"], self._names["secretArn"], self._database)
            return Database(lambda _: self, *names).execute(sql, **parameters)

    def commit(self) -> None:
        self._client.commit_transaction(**self._names, transactionId=self._id)

    def roll_back(self) -> None:
        self._client.rollback_transaction(**self._names, transactionId=self._id)

    def end(self) -> None:
        """Rolls back if it is still open."""
        with suppress(ClientError):
            self.roll_back()


def an_older_transaction_is_open(scene: Scene) -> bool:
    """An event is stored while a transaction is open that began to write before it: whether readers see it at once."""
    pattern = scene.harness
    assert isinstance(pattern, Harness)
    older = pattern.open_transaction(scene.environment)
    older.rows("SELECT pg_current_xact_id()::text")
    try:
        scene.open().store(event(new_id(), 1))
        return not scene.open().tail(None)[0]
    finally:
        older.roll_back()


def a_transaction_commits_after_later_ones(scene: Scene) -> bool:
    """A transaction stores an event and stays open while another commits and a reader reads; then it commits."""
    pattern = scene.harness
    assert isinstance(pattern, Harness)
    slow, quick = new_id(), new_id()
    older = pattern.open_transaction(scene.environment)
    append(older.store(scene.environment), event(slow, 1))
    scene.open().store(event(quick, 1))
    seen, place = scene.open().tail(None)
    older.commit()
    seen += scene.log(place)
    return sorted(event["aggregateId"] for event in seen) != sorted([slow, quick])


def append(opened: EventStore, *events: Event) -> None:
    answer = wire.answer(opened, "store_events", {"events": list(events)})
    assert "events" in answer, answer


Harness.schedules = {
    "read_all": (an_older_transaction_is_open,),
    "late_events": (a_transaction_commits_after_later_ones,),
}

"""How the suite makes fresh stores of a pattern in this process, lets their pipelines run dry, and looks behind them.

`Harness` suits a pattern whose whole state is the DynamoDB tables named in the environment of its Lambdas, and which
shows events without further Lambdas. Any other brings a subclass, also called `Harness`, in
`patterns/<name>/tests/harness.py`; it overrides what differs. A harness never goes through the code under test, except
to open a store and to run the pattern's own further Lambdas in `drain`.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Mapping, Sequence, Set
from decimal import Decimal
from importlib import import_module
from typing import Any, ClassVar, cast
from uuid import uuid4

from boto3.dynamodb.types import TypeDeserializer

from lambdas.eventstore import EventStore, StoreModule
from testkit import clients
from testkit.examples import Event

Environment = dict[str, str]

HarnessFor = Callable[[str], "Harness"]
"""Makes the harness of the pattern that it is given."""


class Harness:
    """`deployed` is the environment of the pattern's deployed `store_events` Lambda."""

    variables: ClassVar[Mapping[str, str]] = {}
    """Terraform variables for the deployment that the suite tests, besides those that every local deployment has."""

    deletes_from: ClassVar[Set[str]] = frozenset()
    """The variables of tables that hold no events, so that `store_events` may delete items in them."""

    counted: ClassVar[str] = ""
    """A regular expression for ids in AWS's answers that a service counts up, so that their length depends on what went
    before. `compare` leaves them out of the bytes, which are to be the same in each run."""

    schedules: ClassVar[Mapping[str, Sequence[Callable[[Any], bool]]]] = {}
    """Schedules that only this pattern needs, by the line of its guarantee sheet: see `testkit.schedules`."""

    def __init__(self, pattern: str, deployed: Mapping[str, str]) -> None:
        self.pattern = pattern
        self.deployed = deployed
        self._dynamodb: Any = clients.client("dynamodb")

    def fresh(self) -> Environment:
        """The environment of an empty store: each table that the deployed one names, cloned without items."""
        tables = set(self._dynamodb.list_tables()["TableNames"])
        return {name: self._clone(value) if value in tables else value for name, value in self.deployed.items()}

    def discard(self, environment: Environment) -> None:
        """Removes what `fresh` made."""
        for name, value in environment.items():
            if value != self.deployed[name] and value.startswith(_FRESH):
                self._dynamodb.delete_table(TableName=value)

    def open(self, environment: Environment) -> EventStore:
        """The store, as a Lambda with that environment would make it."""
        return cast(StoreModule, import_module(f"patterns.{self.pattern}.store")).from_environment(environment)

    def drain(self, environment: Environment) -> None:
        """Does whatever it takes, for as long as it takes, until all that is stored shows in `get_all_events`.

        A pattern whose further Lambdas carry events into its log runs them here, in process, until they are idle.
        Faults are enumerated over the AWS calls made in here too, so their clients must come from
        `lambdas.eventstore.aws.client`.
        """

    def stored(self, environment: Environment) -> list[Event]:
        """Every event that is stored, read behind the store's back, in no order; twice if it is stored twice."""
        return [_event(item) for item in self.items(environment["TABLE"])]

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table, as plain values."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [{name: _PLAIN(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def tamper(self, environment: Environment, aggregate_id: str, version: int) -> None:
        """Changes one stored event's metadata behind the store's back, to `{"tampered": true}`."""
        self._dynamodb.update_item(
            TableName=environment["TABLE"],
            Key={"aggregateId": {"S": aggregate_id}, "aggregateVersion": {"N": str(version)}},
            UpdateExpression="SET metadata = :forged",
            ExpressionAttributeValues={":forged": {"M": {"tampered": {"BOOL": True}}}},
        )

    def finds_tampering(self, environment: Environment) -> bool:
        """Whether an outsider finds that history was altered. Only a tamper-evident pattern has a way."""
        return False

    def _clone(self, table: str) -> str:
        clone = f"{_FRESH}{uuid4().hex}"
        self._dynamodb.create_table(**definition(self._dynamodb, table) | {"TableName": clone})
        self._dynamodb.get_waiter("table_exists").wait(TableName=clone, WaiterConfig={"Delay": 1})
        return clone


def definition(dynamodb: Any, table: str) -> dict[str, Any]:
    """What CreateTable needs to make a table like this one: keys, indexes and stream."""
    original = dynamodb.describe_table(TableName=table)["Table"]
    index_parts = ("IndexName", "KeySchema", "Projection")
    indexes = {
        kind: [{part: index[part] for part in index_parts} for index in original[kind]]
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        if original.get(kind)
    }
    parts = ("TableName", "KeySchema", "AttributeDefinitions", "StreamSpecification")
    schema = {part: original[part] for part in parts if part in original}
    return {"BillingMode": "PAY_PER_REQUEST", **schema, **indexes}


def harness_of(pattern: str) -> type[Harness]:
    """The pattern's own harness, or else the default one."""
    tests = f"patterns.{pattern}.tests"
    if importlib.util.find_spec(tests) and importlib.util.find_spec(f"{tests}.harness"):
        own: type[Harness] = import_module(f"{tests}.harness").Harness
        return own
    return Harness


def eventually(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits until `condition` holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)


def _event(item: dict[str, Any]) -> Event:
    names = ("aggregateId", "aggregateVersion", "eventId", "eventType", "eventVersion", "metadata")
    return {name: item[name] for name in names}


class _Deserializer(TypeDeserializer):  # type: ignore[misc, unused-ignore]
    """Takes numbers of more than 38 digits too: DynamoDB writes out the zeros of a large number."""

    def _deserialize_n(self, value: str) -> Decimal:
        return Decimal(value)


_FRESH = "fresh-"
_PLAIN = _Deserializer().deserialize

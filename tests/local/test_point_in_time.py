"""Tables restored to a moment, by the local AWS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.control import LocalAws
from tests.local.conftest import client

Item = dict[str, Any]


@pytest.fixture(scope="module")
def dynamodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    aws = LocalAws.start(tmp_path_factory.mktemp("aws"))
    yield client(aws, "dynamodb")
    aws.stop()


@pytest.fixture
def table(dynamodb: Any) -> Iterator[str]:
    name = f"moments-{uuid4().hex}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "n", "AttributeType": "N"},
            {"AttributeName": "state", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-state",
                "KeySchema": [
                    {"AttributeName": "state", "KeyType": "HASH"},
                    {"AttributeName": "n", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["small"]},
            }
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
        DeletionProtectionEnabled=True,
        Tags=[{"Key": "service", "Value": "orders"}],
    )
    turn(dynamodb, name, on=True)
    yield name
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=name)
    with suppress(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.delete_table(TableName=f"{name}-restored")


def turn(dynamodb: Any, table: str, *, on: bool) -> None:
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on}
    )


def put(dynamodb: Any, table: str, number: int, **more: str) -> None:
    dynamodb.put_item(TableName=table, Item=item(number, **more))


def item(number: int, **more: str) -> Item:
    return {"id": {"S": "a"}, "n": {"N": str(number)}, **{name: {"S": value} for name, value in more.items()}}


def now() -> datetime:
    """A moment after all that was, and before all that will be."""
    time.sleep(0.01)
    moment = datetime.now(UTC)
    time.sleep(0.01)
    return moment


def restore(dynamodb: Any, table: str, **to: Any) -> list[Item]:
    dynamodb.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=f"{table}-restored", **to)
    return list(dynamodb.scan(TableName=f"{table}-restored")["Items"])


def by(name: str, value: str) -> dict[str, Any]:
    return {
        "KeyConditionExpression": "#name = :value",
        "ExpressionAttributeNames": {"#name": name},
        "ExpressionAttributeValues": {":value": {"S": value}},
    }


def numbers(dynamodb: Any, table: str, index: str = "") -> list[int]:
    """Of all items, or of those of an index with state "on": queried two at a time."""
    query = {"IndexName": index, **by("state", "on")} if index else by("id", "a")
    pages = dynamodb.get_paginator("query").paginate(TableName=table, PaginationConfig={"PageSize": 2}, **query)
    return [int(item["n"]["N"]) for page in pages for item in page["Items"]]


def refusal(dynamodb: Any, table: str, **to: Any) -> str:
    with pytest.raises(ClientError) as refused:
        restore(dynamodb, table, **to)
    return str(refused.value.response["Error"]["Code"])


def test_a_table_is_restored_to_what_it_held_at_a_moment_and_the_original_stays(dynamodb: Any, table: str) -> None:
    put(dynamodb, table, 1, state="first")
    put(dynamodb, table, 2)
    moment = now()
    put(dynamodb, table, 1, state="second")
    dynamodb.delete_item(TableName=table, Key=item(2))
    dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": item(3)}}])
    dynamodb.update_item(TableName=table, Key=item(4), UpdateExpression="SET hits = id")

    assert restore(dynamodb, table, RestoreDateTime=moment) == [item(1, state="first"), item(2)]
    assert dynamodb.scan(TableName=table)["Count"] == 3


def test_a_table_is_restored_to_the_latest_moment(dynamodb: Any, table: str) -> None:
    put(dynamodb, table, 1)
    assert restore(dynamodb, table, UseLatestRestorableTime=True) == [item(1)]


def test_a_restored_table_and_its_index_are_read_in_order_while_both_tables_go_on(dynamodb: Any, table: str) -> None:
    """The emulator keeps what was once queried in order (`local.dynamodb.sorted_items`)."""
    for number in (3, 1, 2):
        put(dynamodb, table, number, state="on", small="x", large="y")
    assert numbers(dynamodb, table) == numbers(dynamodb, table, "by-state") == [1, 2, 3]
    moment = now()
    dynamodb.delete_item(TableName=table, Key=item(2))
    put(dynamodb, table, 3, state="off")
    put(dynamodb, table, 4, state="on")
    assert numbers(dynamodb, table, "by-state") == [1, 4]

    restore(dynamodb, table, RestoreDateTime=moment)

    copy = f"{table}-restored"
    assert numbers(dynamodb, copy) == numbers(dynamodb, copy, "by-state") == [1, 2, 3]
    [entry, *_] = dynamodb.query(TableName=copy, IndexName="by-state", **by("state", "on"))["Items"]
    assert entry == item(1, state="on", small="x"), "the index copies what the original's does"
    put(dynamodb, copy, 0, state="on")
    dynamodb.delete_item(TableName=copy, Key=item(3))
    assert numbers(dynamodb, copy) == numbers(dynamodb, copy, "by-state") == [0, 1, 2]
    assert (numbers(dynamodb, table), numbers(dynamodb, table, "by-state")) == ([1, 3, 4], [1, 4])


def test_what_a_restore_leaves_out(dynamodb: Any, table: str) -> None:
    """developerguide/pointintimerecovery_restores, read 2026-11."""
    restore(dynamodb, table, UseLatestRestorableTime=True)
    restored = dynamodb.describe_table(TableName=f"{table}-restored")["Table"]
    backups = dynamodb.describe_continuous_backups(TableName=f"{table}-restored")["ContinuousBackupsDescription"]
    assert "StreamSpecification" not in restored
    assert not restored.get("DeletionProtectionEnabled")
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    assert dynamodb.list_tags_of_resource(ResourceArn=restored["TableArn"])["Tags"] == []


def test_the_window_begins_when_recovery_is_turned_on_and_anew_when_it_is_again(dynamodb: Any, table: str) -> None:
    moment = now()
    turn(dynamodb, table, on=False)
    assert refusal(dynamodb, table, RestoreDateTime=moment) == "PointInTimeRecoveryUnavailableException"
    turn(dynamodb, table, on=True)
    assert refusal(dynamodb, table, RestoreDateTime=moment) == "InvalidRestoreTimeException"
    assert refusal(dynamodb, table, RestoreDateTime=now() + timedelta(hours=1)) == "InvalidRestoreTimeException"
    described = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    window = described["PointInTimeRecoveryDescription"]
    assert moment < window["EarliestRestorableDateTime"] <= window["LatestRestorableDateTime"]


def test_a_name_that_is_taken_and_a_table_that_is_not_there_are_refused(dynamodb: Any, table: str) -> None:
    restore(dynamodb, table, UseLatestRestorableTime=True)
    assert refusal(dynamodb, table, UseLatestRestorableTime=True) == "TableAlreadyExistsException"
    assert refusal(dynamodb, "nowhere", UseLatestRestorableTime=True) == "TableNotFoundException"

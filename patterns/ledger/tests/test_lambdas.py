"""The deployed ledger: what its Lambdas answer verifies, and none of their roles may do more than its part."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from io import StringIO
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from lambdas.eventstore.remote import RemoteEventStore
from lambdas.eventstore.wire import OPERATIONS, Operation
from testkit.clients import client
from testkit.examples import event, new_id
from testkit.permissions import CHANGES, WRITES, key_of, role_like
from testkit.session import Session
from tools.discovery import containing

from ..commands.demo import demo
from ..commands.verify import Difference, Verification
from ..transparency.merkle import verify_consistency
from ..transparency.verifier import open_checkpoint, trusted_key, verify_proof

PATTERN = containing(__file__)
Call = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def outputs(session: Session, aws: None) -> dict[str, Any]:
    """For the whole module, so that its tests come one after the other: one of them tampers."""
    return dict(session.deployment(PATTERN.name)["outputs"])


@pytest.fixture
def call(outputs: dict[str, Any]) -> Call:
    def call(function: str, **request: Any) -> dict[str, Any]:
        response = client("lambda").invoke(FunctionName=outputs[function], Payload=json.dumps(request))
        answered = json.loads(response["Payload"].read())
        assert "FunctionError" not in response, answered
        return dict(answered)

    return call


def store(call: Call, *versions: int, aggregate: str) -> list[dict[str, Any]]:
    return list(call("store_events", events=[event(aggregate, version, n=0.5) for version in versions])["events"])


def test_what_is_stored_is_published_and_proved(call: Call, outputs: dict[str, Any]) -> None:
    origin, keys = outputs["log_origin"], [trusted_key(key) for key in outputs["log_keys"]]
    aggregate = new_id()
    stored = store(call, 1, 2, aggregate=aggregate)
    first = call("publish")["size"]
    assert first >= int(stored[-1]["offset"])
    old = open_checkpoint(call("get_digest")["checkpoint"], origin, keys)
    stored += store(call, 3, aggregate=aggregate)
    call("publish")
    digest = call("get_digest")
    new = open_checkpoint(digest["checkpoint"], origin, keys)
    assert digest["size"] == new.size > old.size >= first

    for one in stored:
        for request in ({"eventId": one["eventId"]}, {"offset": one["offset"]}):
            answered = call("get_proof", **request)
            index, _ = verify_proof(answered["proof"], b64decode(answered["entry"]), origin, keys)
            assert str(index + 1) == one["offset"]
    proof = call("get_proof", **{"from": old.size, "to": new.size})["consistency"]
    verify_consistency(old.size, new.size, old.root, new.root, [b64decode(one) for one in proof])
    assert call("get_proof", eventId="unknown")["error"]["code"] == "NotFound"
    assert call("get_proof", offset="1", size=10**9)["error"]["code"] == "NotFound"
    assert call("get_proof")["error"]["code"] == "InvalidRequest"


def test_an_honest_store_verifies_and_a_tampered_one_does_not(call: Call, outputs: dict[str, Any]) -> None:
    aggregate = new_id()
    store(call, 1, 2, 3, aggregate=aggregate)
    assert call("erase", aggregateId=aggregate, aggregateVersion=3) == {"erased": 1}
    call("publish")
    assert own(outputs, aggregate) == []

    key = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": "2"}}
    item = client("dynamodb").get_item(TableName=outputs["table"], Key=key)["Item"]
    forged = {**item, "metadata": {"M": {"tampered": {"BOOL": True}}}}
    client("dynamodb").put_item(TableName=outputs["table"], Item=forged)
    found = own(outputs, aggregate)
    client("dynamodb").put_item(TableName=outputs["table"], Item=item)

    assert [(difference.kind, difference.event and difference.event["aggregateVersion"]) for difference in found] == [
        ("changed", 2)
    ]
    assert own(outputs, aggregate) == []
    metadata = [one["metadata"] for one in call("get_aggregate_events", aggregateId=aggregate)["events"]]
    assert [list(one) for one in metadata] == [["n"], ["n"], ["erased"]]


def test_the_demo_shows_a_forger_found(call: Call, outputs: dict[str, Any]) -> None:
    functions: dict[Operation, str] = {operation: outputs[operation] for operation in OPERATIONS}
    shown = StringIO()
    demo(RemoteEventStore(client("lambda"), functions), outputs, Console(file=shown, width=200))

    assert "make verify says changed: version 1 of aggregate" in shown.getvalue()
    assert "the price is put back, and nothing differs" in shown.getvalue()


def own(outputs: dict[str, Any], aggregate: str) -> list[Difference]:
    """What is found of this aggregate or of the published log: other tests use the store at the same time."""
    found = Verification.of(outputs).differences()
    return [one for one in found if one.event is None or one.event["aggregateId"] == aggregate]


@pytest.mark.parametrize("function", ["publish", "get_digest", "get_proof", "log_keys"])
def test_a_role_may_not_write_into_the_tables(outputs: dict[str, Any], function: str) -> None:
    root = client("dynamodb")
    with role_like(function_name(outputs, function)) as credentials:
        role = role_client("dynamodb", credentials)
        for table in (outputs["table"], outputs["log_table"]):
            for write in WRITES.values():
                with pytest.raises(ClientError, match="AccessDenied"):
                    write(role, table, key_of(root, table))


def test_erasing_may_put_and_neither_update_nor_delete(outputs: dict[str, Any]) -> None:
    root = client("dynamodb")
    with role_like(function_name(outputs, "erase")) as credentials:
        role = role_client("dynamodb", credentials)
        for change in CHANGES.values():
            with pytest.raises(ClientError, match="AccessDenied"):
                change(role, outputs["table"], key_of(root, outputs["table"]))
        with pytest.raises(ClientError, match="AccessDenied"):
            role_client("s3", credentials).put_object(Bucket=outputs["tiles_bucket"], Key="checkpoint", Body=b"forged")


def test_the_publisher_may_put_files_and_remove_none(outputs: dict[str, Any], call: Call) -> None:
    call("publish")
    bucket = outputs["tiles_bucket"]
    [version, *_] = client("s3").list_object_versions(Bucket=bucket, Prefix="checkpoints/")["Versions"]
    with role_like(outputs["publish"]) as credentials:
        role = role_client("s3", credentials)
        file = {"Bucket": bucket, "Key": version["Key"], "VersionId": version["VersionId"]}
        assert role.get_object(Bucket=bucket, Key=version["Key"])["Body"].read()
        with pytest.raises(ClientError, match="AccessDenied"):
            role.delete_object(**file, BypassGovernanceRetention=True)
        with pytest.raises(ClientError, match="AccessDenied"):
            role.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    with pytest.raises(ClientError, match="AccessDenied"):
        client("s3").delete_object(**file)  # root, who may do anything but that: its lock holds


@pytest.mark.parametrize("function", ["get_digest", "get_proof", "erase", "store_events"])
def test_only_the_publisher_may_sign(outputs: dict[str, Any], function: str) -> None:
    settings = client("lambda").get_function_configuration(FunctionName=outputs["publish"])["Environment"]["Variables"]
    [key] = settings["LOG_KEYS"].split(",")
    sign = {"KeyId": key, "Message": b"forged", "MessageType": "RAW", "SigningAlgorithm": "ECDSA_SHA_256"}
    with role_like(function_name(outputs, function)) as credentials, pytest.raises(ClientError, match="AccessDenied"):
        role_client("kms", credentials).sign(**sign)
    assert client("kms").sign(**sign)["Signature"]


def function_name(outputs: dict[str, Any], function: str) -> str:
    return str(outputs["arns"]["functions"][function]).rpartition(":")[2]


def role_client(service: str, credentials: dict[str, Any]) -> Any:
    return boto3.client(service, **credentials)  # type: ignore[call-overload]

"""A whole ledger in this process: its tables, its published log, and what people do to them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from lambdas.eventstore import EventStore
from testkit.clients import client
from testkit.examples import Event, event
from testkit.subjects import InProcess
from tools.discovery import containing

from .. import erase, get_digest, get_proof, runtime
from ..commands.verify import Difference
from ..proofs import Proofs
from ..store import from_environment
from . import harness
from .conftest import TABLES

SHEET = containing(__file__).sheet
KEYS = {
    "TABLE": (("aggregateId", "S"), ("aggregateVersion", "N")),
    "LOG_TABLE": (("part", "S"), ("firstPosition", "N")),
}


class Ledger:
    def __init__(self, *specs: str) -> None:
        self.environment = {name: f"{TABLES}{uuid4().hex}" for name in KEYS}
        for name, keys in KEYS.items():
            client("dynamodb").create_table(
                TableName=self.environment[name],
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys],
                KeySchema=[{"AttributeName": keys[n][0], "KeyType": kind} for n, kind in enumerate(("HASH", "RANGE"))],
            )
        self.environment |= harness.published_nowhere_yet(*specs)
        self.store = InProcess(self.open(), SHEET)

    def open(self) -> EventStore:
        return from_environment(self.environment)

    def append(self, *versions: tuple[str, int], **metadata: Any) -> list[Event]:
        """One request with an event for each aggregate and version."""
        return self.store.store(*(event(aggregate, version, **metadata) for aggregate, version in versions))

    def publish(self) -> int:
        return harness.publisher(self.environment).publish()

    def proof(self, **request: Any) -> dict[str, Any]:
        proofs = Proofs(harness.bucket(self.environment))
        return runtime.answer(lambda given: get_proof.answer(proofs, given), request)

    def digest(self, **request: Any) -> dict[str, Any]:
        proofs = Proofs(harness.bucket(self.environment))
        return runtime.answer(lambda given: get_digest.answer(proofs, given), request)

    def erase(self, **request: Any) -> dict[str, Any]:
        erasure = erase.from_environment(self.environment)
        return runtime.answer(lambda given: erase.answer(erasure, given), request)

    def differences(self) -> list[Difference]:
        return list(harness.verification(self.environment).differences())

    def outputs(self) -> dict[str, Any]:
        return harness.outputs(self.environment)

    def item(self, aggregate: str, version: int) -> dict[str, Any]:
        """An event's item, as it is stored."""
        key = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": str(version)}}
        found = client("dynamodb").get_item(TableName=self.environment["TABLE"], Key=key, ConsistentRead=True)
        return dict(found["Item"])

    def put(self, item: Mapping[str, Any]) -> None:
        client("dynamodb").put_item(TableName=self.environment["TABLE"], Item=item)

    def delete(self, aggregate: str, version: int) -> None:
        key = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": str(version)}}
        client("dynamodb").delete_item(TableName=self.environment["TABLE"], Key=key)

    def pages(self) -> list[dict[str, Any]]:
        found = client("dynamodb").scan(TableName=self.environment["LOG_TABLE"], ConsistentRead=True)["Items"]
        pages = [item for item in found if item["part"] == {"S": "pages"}]
        return sorted(pages, key=lambda item: int(item["firstPosition"]["N"]))

    def rewrite_page(self, page: Mapping[str, Any], entries: list[dict[str, Any]]) -> None:
        content = {"B": zlib.compress(json.dumps(entries).encode())}
        item = {**page, "page": content, "events": {"N": str(len(entries))}}
        client("dynamodb").put_item(TableName=self.environment["LOG_TABLE"], Item=item)

    def delete_page(self, page: Mapping[str, Any]) -> None:
        key = {name: page[name] for name in ("part", "firstPosition")}
        client("dynamodb").delete_item(TableName=self.environment["LOG_TABLE"], Key=key)

    def file(self, path: str) -> bytes:
        return harness.bucket(self.environment).get(path)

    def replace_file(self, path: str, content: bytes) -> None:
        client("s3").put_object(Bucket=self.environment["TILES_BUCKET"], Key=path, Body=content)

    def unlock_and_replace(self, path: str, content: bytes) -> None:
        """As somebody who may bypass Object Lock: no version is left of what was there."""
        bucket = self.environment["TILES_BUCKET"]
        for version in client("s3").list_object_versions(Bucket=bucket, Prefix=path)["Versions"]:
            client("s3").delete_object(
                Bucket=bucket, Key=path, VersionId=version["VersionId"], BypassGovernanceRetention=True
            )
        self.replace_file(path, content)

    def delete_file(self, path: str) -> None:
        client("s3").delete_object(Bucket=self.environment["TILES_BUCKET"], Key=path)


def entries_of(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(zlib.decompress(page["page"]["B"]))
    return entries

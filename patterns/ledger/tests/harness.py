"""A ledger is its tables, as `log_first` has them, and a bucket and a key besides: each fresh one has its own."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from lambdas.eventstore import aws
from testkit import log_first
from testkit.clients import client
from testkit.harness import Environment

from ..bucket import Bucket
from ..commands.verify import Verification
from ..log import LedgerLog
from ..publisher import Publisher
from ..signers import Signer

ORIGIN = "example.com/ledger"


class Harness(log_first.Harness):
    def fresh(self) -> Environment:
        return {**super().fresh(), **published_nowhere_yet()}

    def discard(self, environment: Environment) -> None:
        super().discard({name: environment[name] for name in self.deployed})

    def tamper(self, environment: Environment, aggregate_id: str, version: int) -> None:
        publisher(environment).publish()
        super().tamper(environment, aggregate_id, version)

    def finds_tampering(self, environment: Environment) -> bool:
        return any(verification(environment).differences())


def published_nowhere_yet(*specs: str) -> Environment:
    """The settings of a log with a bucket of its own and a key for each spec, P-256 if none is given."""
    kms, bucket = client("kms"), f"tiles-{uuid4().hex}"
    client("s3").create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    keys = [
        kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        for spec in specs or ["ECC_NIST_P256"]
    ]
    return {"TILES_BUCKET": bucket, "LOG_ORIGIN": ORIGIN, "LOG_KEYS": ",".join(keys)}


def bucket(environment: Environment) -> Bucket:
    return Bucket(aws.client("s3"), environment["TILES_BUCKET"])


def signers(environment: Environment) -> list[Signer]:
    kms = aws.client("kms")
    return [Signer(kms, key, environment["LOG_ORIGIN"]) for key in environment["LOG_KEYS"].split(",")]


def publisher(environment: Environment) -> Publisher:
    log = LedgerLog(aws.client("dynamodb"), environment["LOG_TABLE"])
    return Publisher(bucket(environment), log.entries, environment["LOG_ORIGIN"], signers(environment))


def outputs(environment: Environment) -> dict[str, Any]:
    """As the deployment's, as far as an audit needs them."""
    return {
        "table": environment["TABLE"],
        "log_table": environment["LOG_TABLE"],
        "tiles_bucket": environment["TILES_BUCKET"],
        "log_origin": environment["LOG_ORIGIN"],
        "log_keys": [str(signer.verifier_key) for signer in signers(environment)],
    }


def verification(environment: Environment) -> Verification:
    return Verification.of(outputs(environment))

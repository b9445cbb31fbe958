"""The witness (c2sp.org/tlog-witness) behind a function URL: `POST …/add-checkpoint`. Meant for another account.

WITNESS_NAME and WITNESS_KEY are its name and its Ed25519 key in KMS, WITNESS_TABLE what it has cosigned. WITNESSED is a
JSON object: for each verifier key of a log, the key in KMS that verifies its signatures. Both have to be the same key.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import cache

from lambdas.eventstore import aws

from . import runtime
from .cosigning import Answer, Witness
from .signers import Signer
from .transparency.notes import VerifierKey


class WrongKey(Exception):
    """The key in KMS is not the one of the log's verifier key."""


@runtime.function
def handler(request: runtime.Request) -> runtime.Answer:
    return answer(_witness, request)


def answer(witness: Callable[[], Witness], request: runtime.Request) -> runtime.Answer:
    """To a request as function URLs hand it on, in the format 2.0 (dg/urls-invocation, read 2026-11)."""
    http = request.get("requestContext", {}).get("http", {})
    if not str(http.get("path", "")).endswith("/add-checkpoint"):
        return _of_http(Answer(404, "there is add-checkpoint here\n"))
    if http.get("method") != "POST":
        return _of_http(Answer(405, "add-checkpoint takes POST\n"))
    try:
        body = request.get("body") or ""
        text = b64decode(body).decode() if request.get("isBase64Encoded") else str(body)
    except ValueError:
        return _of_http(Answer(400, "the body is no text\n"))
    made = witness().add_checkpoint(text)
    runtime.logger.info("answered", extra={"status": made.status})
    return _of_http(made)


def from_environment(environ: Mapping[str, str]) -> Witness:
    """
    Raises:
        WrongKey
    """
    kms = aws.client("kms")
    logs: dict[str, list[Signer]] = {}
    for text, key in json.loads(environ["WITNESSED"]).items():
        pinned = VerifierKey.parse(text)
        signer = Signer(kms, key, pinned.name)
        if signer.verifier_key != pinned:
            raise WrongKey(f"{key} is {signer.verifier_key}, and not {text}")
        logs.setdefault(pinned.name, []).append(signer)
    own = Signer(kms, environ["WITNESS_KEY"], environ["WITNESS_NAME"])
    return Witness(aws.client("dynamodb"), environ["WITNESS_TABLE"], own, logs)


@cache
def _witness() -> Witness:
    return from_environment(os.environ)


def _of_http(answer: Answer) -> runtime.Answer:
    return {"statusCode": answer.status, "headers": {"content-type": answer.content_type}, "body": answer.body}

"""The ledger's Lambdas beside the three operations: what each is asked, and what it answers.

As in the contract, a refusal is an answer (`{"error": {"code", "message", …}}`) and a failure is an exception. Logs
carry sizes, never a payload.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.eventstore import aws
from lambdas.eventstore.errors import InvalidRequest, Refusal
from lambdas.eventstore.limits import MAX_INTEGER
from lambdas.eventstore.offsets import to_position
from lambdas.eventstore.retry import invocation, seconds_left, time_limit

from .bucket import Bucket
from .log import LedgerLog
from .proofs import Proofs
from .publisher import Publisher
from .signers import Signer
from .transparency.checkpoints import Proof

_logger = Logger()
_metrics = Metrics()

_MARGIN = 1.0
"""Seconds of the invocation kept back for raising, answering and logging."""

_BATCH_SECONDS = 30.0
"""Without so much time left, a publisher begins no further batch: many times what one takes."""

_THREADS = 10
"""As many as an SDK client keeps connections."""

_FORMS = "give eventId or offset, and size if a given checkpoint is wanted; or from and to"

Answer = dict[str, Any]


def _function(work: Callable[[Mapping[str, Any]], Answer]) -> Callable[[Any, Any], Answer]:
    @_metrics.log_metrics
    @_logger.inject_lambda_context(clear_state=True)
    def handler(request: Any, context: Any) -> Answer:
        seconds = context.get_remaining_time_in_millis() / 1000 - _MARGIN
        with invocation(seconds + _MARGIN / 2), time_limit(seconds):
            return answer(work, request)

    return handler


def answer(work: Callable[[Mapping[str, Any]], Answer], request: Any) -> Answer:
    """What `work` answers to the request, or the refusal of it."""
    try:
        if not isinstance(request, dict):
            raise InvalidRequest("", "should be a JSON object")
        return work(request)
    except Refusal as refusal:
        _logger.info("refused", extra={"code": refusal.code})
        return {"error": refusal.to_wire()}


def publish_log(request: Mapping[str, Any]) -> Answer:
    """Whatever the request is: a schedule sends its own."""
    size = _publisher().publish(lambda: seconds_left() > _BATCH_SECONDS)
    _metrics.add_metric("PublishedEntries", MetricUnit.Count, size)
    _logger.info("published", extra={"size": size})
    return {"size": size}


def latest_digest(request: Mapping[str, Any]) -> Answer:
    _only(request, set())
    size, note = _proofs().digest()
    return {"size": size, "checkpoint": note}


def proof(request: Mapping[str, Any]) -> Answer:
    match sorted(request.keys() - {"size"}):
        case ["from", "to"]:
            _only(request, {"from", "to"})
            old, new = _size(request, "from"), _size(request, "to")
            if old > new:
                raise InvalidRequest("/from", f"is {old}, and to is {new}: a log does not shrink")
            return {"consistency": [b64encode(one).decode() for one in _proofs().consistency(old, new)]}
        case ["eventId"]:
            return _included(*_proofs().of_event(_text(request, "eventId"), _wanted(request)))
        case ["offset"]:
            return _included(*_proofs().at(_position(_text(request, "offset")), _wanted(request)))
    raise InvalidRequest("", f"is none that is known here: {_FORMS}")


def verifier_keys(request: Mapping[str, Any]) -> Answer:
    """Terraform asks for them, to state them as an output."""
    return {"keys": [str(signer.verifier_key) for signer in _signers()]}


publish = _function(publish_log)
get_digest = _function(latest_digest)
get_proof = _function(proof)
log_keys = _function(verifier_keys)


def _included(proof: Proof, entry: bytes) -> Answer:
    return {"proof": str(proof), "entry": b64encode(entry).decode()}


def _only(request: Mapping[str, Any], known: set[str]) -> None:
    if unknown := request.keys() - known:
        raise InvalidRequest(f"/{min(unknown)}", "is no field here: remove it")


def _text(request: Mapping[str, Any], name: str) -> str:
    if not isinstance(request[name], str):
        raise InvalidRequest(f"/{name}", "should be a string, as the store has answered with")
    return str(request[name])


def _position(offset: str) -> int:
    try:
        return to_position(offset)
    except InvalidRequest:
        raise InvalidRequest("/offset", "is not an offset of this store: pass on an event's `offset`") from None


def _wanted(request: Mapping[str, Any]) -> int | None:
    return _size(request, "size") if "size" in request else None


def _size(request: Mapping[str, Any], name: str) -> int:
    value = request[name]
    if type(value) not in (int, float) or value != int(value) or not 0 <= value <= MAX_INTEGER:
        raise InvalidRequest(f"/{name}", "should be a size of the log, a whole number from 0")
    return int(value)


@cache
def _publisher() -> Publisher:
    log = LedgerLog(aws.client("dynamodb"), os.environ["LOG_TABLE"])
    return Publisher(_bucket(), log.entries, os.environ["LOG_ORIGIN"], _signers(), ThreadPoolExecutor(_THREADS).map)


@cache
def _proofs() -> Proofs:
    return Proofs(_bucket())


@cache
def _bucket() -> Bucket:
    return Bucket(aws.client("s3"), os.environ["TILES_BUCKET"])


@cache
def _signers() -> list[Signer]:
    client, origin = aws.client("kms"), os.environ["LOG_ORIGIN"]
    return [Signer(client, key, origin) for key in os.environ["LOG_KEYS"].split(",")]

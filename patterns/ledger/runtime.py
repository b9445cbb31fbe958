"""What the ledger's Lambdas beside the three operations share: their form, and what their environment describes.

As in the contract, a refusal is an answer (`{"error": {"code", "message", …}}`) and a failure is an exception. Logs
carry sizes, never a payload.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from lambdas.eventstore import aws
from lambdas.eventstore.errors import InvalidRequest, Refusal
from lambdas.eventstore.limits import MAX_INTEGER
from lambdas.eventstore.retry import invocation, time_limit

from .bucket import Bucket
from .signers import Signer

logger = Logger()
metrics = Metrics()

THREADS = 10
"""As many as an SDK client keeps connections."""

_MARGIN = 1.0
"""Seconds of the invocation kept back for raising, answering and logging."""

Request = Mapping[str, Any]
Answer = dict[str, Any]


def function(work: Callable[[Request], Answer]) -> Callable[[Any, Any], Answer]:
    """A Lambda handler that does `work` on each request, within the time that the invocation has."""

    @metrics.log_metrics
    @logger.inject_lambda_context(clear_state=True)
    def invoked(request: Any, context: Any) -> Answer:
        seconds = context.get_remaining_time_in_millis() / 1000 - _MARGIN
        with invocation(seconds + _MARGIN / 2), time_limit(seconds):
            return answer(work, request)

    return invoked


def answer(work: Callable[[Request], Answer], request: Any) -> Answer:
    """What `work` answers to the request, or the refusal of it."""
    try:
        if not isinstance(request, dict):
            raise InvalidRequest("", "should be a JSON object")
        return work(request)
    except Refusal as refusal:
        logger.info("refused", extra={"code": refusal.code})
        return {"error": refusal.to_wire()}


def only(request: Request, known: set[str]) -> None:
    """
    Raises:
        InvalidRequest: the request has a field that is not `known`.
    """
    if unknown := request.keys() - known:
        raise InvalidRequest(f"/{min(unknown)}", f"is no field here: remove it (fields are {', '.join(sorted(known))})")


def text(request: Request, name: str) -> str:
    """
    Raises:
        InvalidRequest: the field is no string.
    """
    if not isinstance(request[name], str):
        raise InvalidRequest(f"/{name}", "should be a string")
    return str(request[name])


def whole(request: Request, name: str, least: int = 0) -> int:
    """
    Raises:
        InvalidRequest: the field is no whole number, or it is less than `least`.
    """
    value = request[name]
    is_whole = type(value) is int or (isinstance(value, float) and value.is_integer())
    if not is_whole or not least <= value <= MAX_INTEGER:
        raise InvalidRequest(f"/{name}", f"should be a whole number, {least} or more")
    return int(value)


@cache
def bucket() -> Bucket:
    return Bucket(aws.client("s3"), os.environ["TILES_BUCKET"])


@cache
def signers() -> list[Signer]:
    client, origin = aws.client("kms"), os.environ["LOG_ORIGIN"]
    return [Signer(client, key, origin) for key in os.environ["LOG_KEYS"].split(",")]

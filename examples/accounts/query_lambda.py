"""The Lambda for queries: `queries` on the read models. A caller that waits for a version wakes their projections."""

import json
import os
from typing import Any

from aws_lambda_powertools import Logger

from examples.accounts.queries import Queries
from lambdas.eventstore import aws
from lambdas.eventstore.embedded import store_of_outputs
from lambdas.eventstore.retry import invocation, time_limit
from lambdas.projections import ReadModel
from lambdas.projections.runtime import Waker

_ANSWER_SECONDS = 0.5
"""Kept back from the invocation's time, for writing the answer and the log."""

_logger = Logger()
_client = aws.client("dynamodb")
_queries = Queries(
    {name: ReadModel(_client, table) for name, table in json.loads(os.environ["READ_MODELS"]).items()},
    store_of_outputs(json.loads(os.environ["STORE"])),
    Waker(json.loads(os.environ["PROJECTORS"])).wake,
)


@_logger.inject_lambda_context(clear_state=True)
def handler(request: Any, context: Any) -> dict[str, Any]:
    seconds = context.get_remaining_time_in_millis() / 1000 - _ANSWER_SECONDS
    with invocation(seconds + _ANSWER_SECONDS / 2), time_limit(seconds):
        answer = _queries.answer(request)
    _logger.info("answered", extra={"code": answer.get("error", {}).get("code")})
    return answer

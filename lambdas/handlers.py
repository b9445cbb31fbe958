"""The three Lambda handlers, the same for every pattern.

The store is made while the Lambda initialises. Refusals are answers, failures are exceptions. Logs are structured and
carry ids and counts, never a payload; metrics count events stored, conflicts and page sizes.
"""

import os
import random
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.eventstore.loading import store_of
from lambdas.eventstore.retry import invocation
from lambdas.eventstore.wire import Operation, answer

_logger = Logger()
_metrics = Metrics()

_store = store_of(os.environ)

_ANSWER_SECONDS = 0.5
"""Kept back from the invocation's time, for writing the answer and the log."""


def _handler(operation: Operation) -> Callable[[Any, Any], dict[str, Any]]:
    @_metrics.log_metrics
    @_logger.inject_lambda_context(clear_state=True)
    def handler(request: Any, context: Any) -> dict[str, Any]:
        # Environments that SnapStart restores from one snapshot would all draw the same pauses, and so collide.
        random.seed()
        seconds = context.get_remaining_time_in_millis() / 1000 - _ANSWER_SECONDS
        with invocation(seconds + _ANSWER_SECONDS / 2):
            response = answer(_store, operation, request, seconds)
        _observe(operation, request, response)
        return response

    return handler


def _observe(operation: Operation, request: Any, response: dict[str, Any]) -> None:
    _metrics.add_dimension("operation", operation)
    if error := response.get("error"):
        _metrics.add_metric(
            "VersionConflicts" if error["code"] == "VersionConflict" else "InvalidRequests",
            MetricUnit.Count,
            1,
        )
        # Messages and paths quote names that the caller chose, which may tell as much as a payload.
        _logger.info("refused", extra={key: value for key, value in error.items() if key not in ("message", "path")})
        return
    events = len(response["events"])
    _metrics.add_metric("EventsStored" if operation == "store_events" else "PageSize", MetricUnit.Count, events)
    _logger.info("answered", extra={"events": events, "requestId": request.get("requestId")})


store_events = _handler("store_events")
get_aggregate_events = _handler("get_aggregate_events")
get_all_events = _handler("get_all_events")

"""A log whose pages are the commits: what `lambdas/eventstore/log_first` guarantees and costs, on three tables."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from lambdas.eventstore import aws
from lambdas.eventstore.log_first.combining import Combining
from lambdas.eventstore.log_first.store import LogFirstEventStore

_THREADS = 10
"""As many as an SDK client keeps connections."""


def from_environment(environ: Mapping[str, str]) -> LogFirstEventStore:
    """The store that the Lambda's environment describes: TABLE, of the events, LOG_TABLE, and PENDING_TABLE."""
    client, for_each = aws.client("dynamodb"), ThreadPoolExecutor(_THREADS).map
    return LogFirstEventStore(
        client,
        environ["TABLE"],
        environ["LOG_TABLE"],
        for_each,
        combining=lambda events: Combining(client, environ["PENDING_TABLE"], events, for_each),
    )

"""A log whose pages are the commits: what `lambdas/eventstore/log_first` guarantees and costs, on two tables."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from lambdas.eventstore import aws
from lambdas.eventstore.log_first.store import LogFirstEventStore

_THREADS = 10
"""As many as an SDK client keeps connections."""


def from_environment(environ: Mapping[str, str]) -> LogFirstEventStore:
    """The store that the Lambda's environment describes: TABLE, of the events, and LOG_TABLE."""
    return LogFirstEventStore(
        aws.client("dynamodb"), environ["TABLE"], environ["LOG_TABLE"], ThreadPoolExecutor(_THREADS).map
    )

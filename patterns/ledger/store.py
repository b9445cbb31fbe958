"""A store whose log can be proved: `lambdas/eventstore/log_first`, with a salt of its own beside each event.

Guarantees and costs what that does, and 32 bytes an event more. Event ids also rise over the whole log, so that the
published entries can be searched by them. What makes history provable happens later, beside the three operations:
`publisher` commits to the log as it stands, and `commands.verify` compares.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from lambdas.eventstore import aws
from lambdas.eventstore.log_first.log import Entry
from lambdas.eventstore.log_first.store import LogFirstEventStore

from .transparency.entries import SALT_BYTES

_THREADS = 10
"""As many as an SDK client keeps connections."""


def from_environment(environ: Mapping[str, str]) -> LogFirstEventStore:
    """The store that the Lambda's environment describes: TABLE, of the events, and LOG_TABLE."""
    return LogFirstEventStore(
        aws.client("dynamodb"),
        environ["TABLE"],
        environ["LOG_TABLE"],
        ThreadPoolExecutor(_THREADS).map,
        as_stored=salted,
        ids_rise_over_the_log=True,
    )


def salted(entry: Entry) -> Entry:
    """With it, the log commits to a payload that nobody can guess from the commitment."""
    return {**entry, "salt": b64encode(secrets.token_bytes(SALT_BYTES)).decode()}

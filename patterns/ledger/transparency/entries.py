"""What stands in the log for an event: who, what and when in full, and of the payload only a commitment.

An entry is a few hundred bytes however large its event is, so an event never blocks the log; and a payload can be
erased together with its salt, after which nobody can tell what was committed to, while all proofs stay valid.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import rfc8785

SALT_BYTES = 32
ERASED = "erased"
"""The one name in what is left of an erased payload. Its value is the commitment."""

_NAMES = ("aggregateId", "aggregateVersion", "eventId", "eventType", "eventVersion")


def entry_of(stored: Mapping[str, Any]) -> bytes:
    """The log's entry of an event: canonical JSON (RFC 8785).

    `stored` is the event as the wire has it, with `salt` in base64; or without it, and with `erased` for its payload.
    """
    return rfc8785.dumps({name: stored[name] for name in _NAMES} | {"commitment": commitment_of(stored)})


def commitment_of(stored: Mapping[str, Any]) -> str:
    """What the log has of the payload, in base64: SHA-256 over the salt and the payload's canonical JSON."""
    if "salt" not in stored:
        return str(stored["metadata"][ERASED])
    return commitment(b64decode(stored["salt"], validate=True), stored["metadata"])


def commitment(salt: bytes, metadata: Mapping[str, Any]) -> str:
    assert len(salt) == SALT_BYTES
    return b64encode(sha256(salt + rfc8785.dumps(dict(metadata))).digest()).decode()


def is_erased(stored: Mapping[str, Any]) -> bool:
    return not stored.get("salt") and list(stored["metadata"] or ()) == [ERASED]


def erased(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The same without its payload and its salt. Nothing is changed that is erased already."""
    left = {name: value for name, value in stored.items() if name != "salt"}
    return {**left, "metadata": {ERASED: commitment_of(stored)}}

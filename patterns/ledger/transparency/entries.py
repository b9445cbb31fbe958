"""What stands in the log for an event: who, what and when in full, and of the payload only a commitment.

An entry is a few hundred bytes however large its event is, so an event never blocks the log; and a payload can be
erased together with its salt, after which nobody can tell what was committed to, while all proofs stay valid.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import rfc8785

SALT_BYTES = 32
_NAMES = ("aggregateId", "aggregateVersion", "eventId", "eventType", "eventVersion")


def commitment(salt: bytes, metadata: Mapping[str, Any]) -> str:
    """SHA-256 over the salt and the payload's canonical JSON (RFC 8785), in base64."""
    assert len(salt) == SALT_BYTES
    return b64encode(sha256(salt + rfc8785.dumps(dict(metadata))).digest()).decode()


def entry(event: Mapping[str, Any], committed: str) -> bytes:
    """The log's entry of an event, given as the wire has it, whose payload has this commitment: canonical JSON."""
    return rfc8785.dumps({name: event[name] for name in _NAMES} | {"commitment": committed})

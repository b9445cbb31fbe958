"""The two refusals a caller can mend. Everything else is a failure, and is raised as what it is.

A refusal is an answer: the wire carries it as `{"error": {"code", "message", …}}`. A failure (a bug, AWS out of reach)
leaves the Lambda as an exception, so that metrics, alarms and Lambda's own retries see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

_LONGEST_TEXT = 500


class Refusal(Exception):
    """A domain outcome that is told to the caller. `code` is one of a closed set."""

    code: ClassVar[str]

    def to_wire(self) -> dict[str, Any]:
        return {"code": self.code, "message": str(self)}


class InvalidRequest(Refusal):
    """The request breaks the contract's form. `path` is a JSON Pointer (RFC 6901) to the offending value."""

    code = "InvalidRequest"

    def __init__(self, path: str, message: str) -> None:
        self.path = _safe(path)
        super().__init__(_safe(f"{path or 'the request'} {message}"))

    @classmethod
    def from_wire(cls, error: Mapping[str, Any]) -> InvalidRequest:
        subject = error["path"] or "the request"
        return cls(error["path"], error["message"].removeprefix(subject).lstrip())

    def to_wire(self) -> dict[str, Any]:
        return {**super().to_wire(), "path": self.path}


class VersionConflict(Refusal):
    """The request assumed that `expected_version` was stored last in the aggregate; it was `current_version`."""

    code = "VersionConflict"

    def __init__(self, aggregate_id: str, expected_version: int, current_version: int) -> None:
        self.aggregate_id = aggregate_id
        self.expected_version = expected_version
        self.current_version = current_version
        super().__init__(
            f"aggregate {aggregate_id!r} is at version {current_version}, not {expected_version}: "
            f"read its events from version {min(expected_version, current_version) + 1} on, decide again, and retry"
        )

    def to_wire(self) -> dict[str, Any]:
        return {
            **super().to_wire(),
            "aggregateId": self.aggregate_id,
            "expectedVersion": self.expected_version,
            "currentVersion": self.current_version,
        }


def _safe(text: str) -> str:
    """Text that quotes a caller's names may hold lone surrogates, which no UTF-8 answer can carry, or be endless."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"

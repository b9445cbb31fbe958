"""The two refusals that a caller can act on. Everything else is a failure, and is raised as what it is.

A refusal is an answer: the wire carries it as `{"error": {"code", "message", …}}`. A failure (a bug, AWS out of reach)
leaves the Lambda as an exception, so that metrics, alarms and Lambda's own retries see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

_LONGEST_MESSAGE = 500
"""Characters. What a message quotes of a request may be endless."""

_LONGEST_PATH = 128 * 1024
"""Characters: more than any path into an event of 48 KiB, and far from the 6 MB that a Lambda may answer."""


class Refusal(Exception):
    """A domain outcome that is told to the caller. `code` is one of a closed set."""

    code: ClassVar[str]

    def to_wire(self) -> dict[str, Any]:
        return {"code": self.code, "message": str(self)}


class InvalidRequest(Refusal):
    """The request breaks the contract's form. `path` is a JSON Pointer (RFC 6901) to the offending value.

    An answer cannot carry a lone surrogate, or a name without end: then it is the path of the value around it.
    """

    code = "InvalidRequest"

    def __init__(self, path: str, message: str) -> None:
        self.path = _pointer(path)
        super().__init__(_readable(f"{_readable(path or 'the request', _LONGEST_MESSAGE // 2)} {message}"))

    @classmethod
    def from_wire(cls, error: Mapping[str, Any]) -> InvalidRequest:
        refusal = cls(error["path"], "")
        refusal.args = (error["message"],)  # which begins with the path already
        return refusal

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


def _readable(text: str, longest: int = _LONGEST_MESSAGE) -> str:
    """Text that quotes a caller's names may hold lone surrogates, which no UTF-8 answer can carry, or be endless."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _pointer(path: str) -> str:
    """The path, or where no answer can carry it, that of the nearest value around; never one that is cut."""
    while len(path) > _LONGEST_PATH or not _fits_utf8(path):
        path = path.rpartition("/")[0]
    return path


def _fits_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

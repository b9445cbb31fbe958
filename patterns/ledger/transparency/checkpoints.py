"""A checkpoint: how many entries a log has, and the root of their tree (c2sp.org/tlog-checkpoint, read 2026-11).

And the proof that one entry is in the log, with the checkpoint that it leads to (c2sp.org/tlog-proof).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from .merkle import HASH_BYTES, InvalidProof
from .notes import InvalidNote

_HASH = r"[A-Za-z0-9+/]{43}="
_NUMBER = r"0|[1-9][0-9]{0,18}"
_TEXT = re.compile(rf"(?P<origin>[^\n]+)\n(?P<size>{_NUMBER})\n(?P<root>{_HASH})\n(?:[^\n]+\n)*")
_PROOF = re.compile(
    rf"c2sp\.org/tlog-proof@v1\n(?:extra [^\n]*\n)?index (?P<index>{_NUMBER})\n"
    rf"(?P<hashes>(?:{_HASH}\n)*)\n(?P<checkpoint>.+)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log, as the log says it is: who has signed it is the business of its note."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{encoded(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """
        Raises:
            InvalidNote: it is no checkpoint.
        """
        if not (match := _TEXT.fullmatch(text)):
            raise InvalidNote("it is not a checkpoint: the lines should be origin, size, and root hash")
        return cls(match["origin"], int(match["size"]), b64decode(match["root"]))


@dataclass(frozen=True)
class Proof:
    """That an entry is in a log: its index, counted from 0, the hashes beside its way to the root, the checkpoint."""

    index: int
    hashes: Sequence[bytes]
    checkpoint: str
    """As its log signed it, with the cosignatures of witnesses if there are any."""

    def __str__(self) -> str:
        lines = ["c2sp.org/tlog-proof@v1", f"index {self.index}", *map(encoded, self.hashes), ""]
        return "\n".join(lines) + "\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> Proof:
        """
        Raises:
            InvalidProof: that says so. Nothing is verified.
        """
        if not (match := _PROOF.fullmatch(text)):
            raise InvalidProof("it is not a proof of the format c2sp.org/tlog-proof@v1")
        return cls(int(match["index"]), [b64decode(line) for line in match["hashes"].split()], match["checkpoint"])


def encoded(hash_: bytes) -> str:
    assert len(hash_) == HASH_BYTES
    return b64encode(hash_).decode()

"""A checkpoint: how many entries a log has, and the root of their tree (c2sp.org/tlog-checkpoint, read 2026-11).

And the proof that one entry is in the log, with the checkpoint that it leads to (c2sp.org/tlog-proof).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from .merkle import HASH_BYTES, InvalidProof, leaf_hash, verify_inclusion
from .notes import InvalidNote, Note, VerifierKey

_HASH = r"[A-Za-z0-9+/]{43}="
_NUMBER = r"0|[1-9][0-9]{0,18}"
_TEXT = re.compile(rf"(?P<origin>[^\n]+)\n(?P<size>{_NUMBER})\n(?P<root>{_HASH})\n(?:[^\n]+\n)*")
_PROOF = re.compile(
    rf"c2sp\.org/tlog-proof@v1\n(?:extra [^\n]*\n)?index (?P<index>{_NUMBER})\n(?P<hashes>(?:{_HASH}\n)*)\n(?P<checkpoint>.+)",
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

    @classmethod
    def opened(cls, note: str, origin: str, keys: Sequence[VerifierKey]) -> Checkpoint:
        """The checkpoint in a note that one of `keys`, those of the log, has signed.

        Raises:
            InvalidNote: it is not signed by the log, or that of another one.
        """
        signed = Note.parse(note)
        signed.verified_by(keys)
        checkpoint = cls.parse(signed.text)
        if checkpoint.origin != origin:
            raise InvalidNote(f"it is a checkpoint of {checkpoint.origin}, not of {origin}")
        return checkpoint


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

    def verify(self, entry: bytes, origin: str, keys: Sequence[VerifierKey]) -> Checkpoint:
        """That `entry` is in the log of this origin, at this index: its checkpoint.

        Raises:
            InvalidNote: the checkpoint is not one of this log, signed by one of `keys`.
            InvalidProof: the entry is not there.
        """
        checkpoint = Checkpoint.opened(self.checkpoint, origin, keys)
        verify_inclusion(self.index, checkpoint.size, leaf_hash(entry), self.hashes, checkpoint.root)
        return checkpoint


def encoded(hash_: bytes) -> str:
    assert len(hash_) == HASH_BYTES
    return b64encode(hash_).decode()

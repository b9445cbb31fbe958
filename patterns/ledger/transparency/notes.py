"""Signed notes: a text, and under it the signatures of those who stand for it (c2sp.org/signed-note, read 2026-11).

Their form alone: what writes logs makes notes here, and lets somebody else sign. `verifier` tells whether signatures
are true.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

ED25519, ECDSA_P256, COSIGNATURE = 0x01, 0x02, 0x04
MAX_NOTE_BYTES = 1_000_000

_ID_BYTES = 4
TIME_BYTES = 8
_DASH = "\u2014 "


class InvalidNote(Exception):
    """It is not a note, or it is not signed as it should be."""


class InvalidKey(ValueError):
    """It is not a verifier key: NAME+ID+KEY, where KEY is a type byte and a public key in base64."""


@dataclass(frozen=True)
class Signature:
    """A line under a note: who is said to have signed, with which key, and the signature itself."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True)
class VerifierKey:
    """A public key with the name of its owner. `public` is 32 bytes of Ed25519, or P-256 as SPKI DER."""

    name: str
    type: int
    public: bytes

    @property
    def id(self) -> bytes:
        if self.type == ECDSA_P256:
            return sha256(self.public).digest()[:_ID_BYTES]
        return sha256(f"{self.name}\n".encode() + bytes([self.type]) + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.type]) + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """
        Raises:
            InvalidKey
        """
        # There may be a plus in the base64, and none in the name.
        name, key_id, encoded = (*text.strip().split("+", 2), "", "")[:3]
        content = _decoded(encoded)
        if not name or not content:
            raise InvalidKey(f"{text!r} is not a verifier key: it should be NAME+ID+BASE64")
        key = cls(name, content[0], content[1:])
        if key.id.hex() != key_id:
            raise InvalidKey(
                f"the id in the verifier key of {name} is {key_id}, and that of the key itself {key.id.hex()}"
            )
        return key


@dataclass(frozen=True)
class Note:
    """`text` ends with a newline."""

    text: str
    signatures: Sequence[Signature]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    @classmethod
    def parse(cls, note: str) -> Note:
        """
        Raises:
            InvalidNote: that says what is wrong with its form. Signatures are not looked at.
        """
        if len(note) > MAX_NOTE_BYTES or any(character < " " and character != "\n" for character in note):
            raise InvalidNote("it is too long, or has control characters")
        text, separator, lines = note.rpartition("\n\n")
        if not separator or not lines.endswith("\n"):
            raise InvalidNote("it does not end with an empty line and signatures")
        return cls(text + "\n", [_signature(line) for line in lines[:-1].split("\n")])


def cosigned(text: str, seconds: int) -> bytes:
    """What a witness signs to say that it saw the checkpoint `text` at this POSIX time."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    content = _decoded(encoded)
    if not line.startswith(_DASH) or not name or "+" in name or len(content) <= _ID_BYTES:
        raise InvalidNote(f"this is not a signature: {line[:100]!r}")
    return Signature(name, content[:_ID_BYTES], content[_ID_BYTES:])


def _decoded(text: str) -> bytes:
    """The bytes that canonical base64 stands for; none for anything else."""
    try:
        content = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        return b""
    return content if b64encode(content).decode() == text else b""

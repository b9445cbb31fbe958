"""Signed notes: a text, and under it the signatures of those who stand for it (c2sp.org/signed-note, read 2026-11).

Verifies Ed25519 (type 0x01), ECDSA over P-256 (0x02) and the Ed25519 cosignatures of witnesses (0x04, as c2sp.org/
tlog-cosignature has them). Signatures by unknown keys are ignored, as the format demands; one by a known key that does
not verify makes the note invalid.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

ED25519, ECDSA_P256, COSIGNATURE = 0x01, 0x02, 0x04
MAX_NOTE_BYTES = 1_000_000

_ID_BYTES = 4
_TIME_BYTES = 8
_DASH = "\u2014 "


class InvalidNote(Exception):
    """It is not a note, or not one that any of the known keys has signed."""


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
        key._check()
        return key

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether this key has signed `text`."""
        message = text.encode()
        if self.type == COSIGNATURE:
            stamped, signature = signature[:_TIME_BYTES], signature[_TIME_BYTES:]
            message = cosigned(text, int.from_bytes(stamped, "big"))
        try:
            if self.type == ECDSA_P256:
                self._p256().verify(signature, message, ECDSA(SHA256()))
            else:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def _check(self) -> None:
        try:
            match self.type:
                case 0x01 | 0x04:
                    Ed25519PublicKey.from_public_bytes(self.public)
                case 0x02:
                    self._p256()
                case _:
                    raise InvalidKey(
                        f"the key of {self.name} has type {self.type:#04x}; supported are 0x01, 0x02, 0x04"
                    )
        except (ValueError, UnsupportedAlgorithm) as error:
            if isinstance(error, InvalidKey):
                raise
            raise InvalidKey(f"the verifier key of {self.name} has no public key of its type in it") from error

    def _p256(self) -> EllipticCurvePublicKey:
        key = load_der_public_key(self.public)
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise InvalidKey(f"the key of {self.name} is not one of the curve P-256")
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

    def verified_by(self, keys: Sequence[VerifierKey]) -> list[VerifierKey]:
        """Those of `keys` that have signed it.

        Raises:
            InvalidNote: none has, or what is said to be the signature of one is not.
        """
        signed: list[VerifierKey] = []
        for signature in self.signatures:
            for key in keys:
                if (key.name, key.id) == (signature.name, signature.key_id) and key not in signed:
                    if not key.verifies(self.text, signature.signature):
                        raise InvalidNote(f"the signature of {key.name} does not fit the text")
                    signed.append(key)
        if not signed:
            known = ", ".join(sorted({key.name for key in keys})) or "there are none"
            raise InvalidNote(f"it is not signed by any known key ({known})")
        return signed


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

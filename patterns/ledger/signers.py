"""Signs checkpoints with keys that never leave AWS KMS: ECDSA over P-256, or Ed25519."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws

from .transparency.notes import COSIGNATURE, ECDSA_P256, ED25519, TIME_BYTES, Note, Signature, VerifierKey, cosigned

_ALGORITHMS = {
    "ECC_NIST_P256": (ECDSA_P256, "ECDSA_SHA_256"),
    "ECC_NIST_EDWARDS25519": (ED25519, "ED25519_SHA_512"),
}
MAX_SIGNED_BYTES = 4_096
_MAX_SIGNATURE_BYTES = 6_144
"""Of a message and of a signature (API_Sign, API_Verify, read 2026-11)."""

_ED25519_BYTES = 32
"""At the end of its SPKI DER (RFC 8410, section 4)."""


class Signer:
    """One key of KMS, which signs in the name of a log."""

    def __init__(self, client: Any, key: str, name: str) -> None:
        self._client = client
        self._key = key
        self._name = name

    @cached_property
    def verifier_key(self) -> VerifierKey:
        type_, public = _ALGORITHMS[self._public["KeySpec"]][0], self._public["PublicKey"]
        return VerifierKey(self._name, type_, public[-_ED25519_BYTES:] if type_ == ED25519 else public)

    def sign(self, text: str) -> Signature:
        return Signature(self._name, self.verifier_key.id, self._signed(text.encode()))

    def cosign(self, text: str, seconds: int) -> Signature:
        """As a witness with an Ed25519 key, that saw it at this POSIX time (c2sp.org/tlog-cosignature)."""
        key = VerifierKey(self._name, COSIGNATURE, self.verifier_key.public)
        made = self._signed(cosigned(text, seconds))
        return Signature(self._name, key.id, seconds.to_bytes(TIME_BYTES, "big") + made)

    def has_signed(self, note: Note) -> bool:
        """Whether this key has; asked of KMS, so that nothing here needs to know how signatures are made."""
        return any(
            self._is_true(note.text, line.signature)
            for line in note.signatures
            if (line.name, line.key_id) == (self._name, self.verifier_key.id)
            and len(line.signature) <= _MAX_SIGNATURE_BYTES
        )

    def _is_true(self, text: str, signature: bytes) -> bool:
        try:
            self._client.verify(**self._message(text.encode()), Signature=signature)
        except ClientError as error:
            if aws.error_code(error) == "KMSInvalidSignatureException":
                return False
            raise
        return True

    def _signed(self, message: bytes) -> bytes:
        """Of at most `MAX_SIGNED_BYTES`, as every checkpoint of a log is."""
        signature: bytes = self._client.sign(**self._message(message))["Signature"]
        return signature

    def _message(self, message: bytes) -> dict[str, Any]:
        algorithm = _ALGORITHMS[self._public["KeySpec"]][1]
        return {"KeyId": self._key, "Message": message, "MessageType": "RAW", "SigningAlgorithm": algorithm}

    @cached_property
    def _public(self) -> dict[str, Any]:
        public: dict[str, Any] = self._client.get_public_key(KeyId=self._key)
        return public

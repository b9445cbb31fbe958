"""Verifies what a log has signed, with nothing but the public keys of the log and of witnesses.

Knows Ed25519 (type 0x01), ECDSA over P-256 (0x02), and the Ed25519 cosignatures of witnesses (0x04, c2sp.org/
tlog-cosignature). Signatures by unknown keys are ignored, as the format demands; one by a known key that is not true
makes its note invalid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .checkpoints import Checkpoint, Proof, encoded
from .merkle import leaf_hash, verify_inclusion
from .notes import COSIGNATURE, ECDSA_P256, ED25519, TIME_BYTES, InvalidKey, InvalidNote, Note, VerifierKey, cosigned
from .tiles import WIDTH, InvalidTile, Tile, Tree, entries_of, hashes_of, parent, tiles_between

_LEVELS = 7
"""Of tiles, above the lowest: 256 ** 8 entries are as many as a size can count."""


def trusted_key(text: str) -> VerifierKey:
    """The verifier key that `text` writes out.

    Raises:
        InvalidKey: it is none, or of a type that is not known here.
    """
    key = VerifierKey.parse(text)
    try:
        _public_key(key)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidKey(f"the verifier key of {key.name} has no public key of a known type in it: {error}") from error
    return key


def signers(note: Note, keys: Sequence[VerifierKey]) -> list[VerifierKey]:
    """Those of `keys` that have signed a note.

    Raises:
        InvalidNote: none has, or what is said to be the signature of one is not.
    """
    signed: list[VerifierKey] = []
    for line in note.signatures:
        for key in keys:
            if (key.name, key.id) == (line.name, line.key_id) and key not in signed:
                if not is_signed(note.text, line.signature, key):
                    raise InvalidNote(f"the signature of {key.name} does not fit the text")
                signed.append(key)
    if not signed:
        known = ", ".join(sorted({key.name for key in keys})) or "there are none"
        raise InvalidNote(f"it is not signed by any known key ({known})")
    return signed


def open_checkpoint(note: str, origin: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note, which one of `keys`, those of its log, has signed.

    Raises:
        InvalidNote: it is not signed by the log, or it is one of another log.
    """
    parsed = Note.parse(note)
    signers(parsed, keys)
    checkpoint = Checkpoint.parse(parsed.text)
    if checkpoint.origin != origin:
        raise InvalidNote(f"it is a checkpoint of {checkpoint.origin}, not of {origin}")
    return checkpoint


def verify_proof(proof: str, entry: bytes, origin: str, keys: Sequence[VerifierKey]) -> tuple[int, Checkpoint]:
    """That `entry` is in the log of this origin: its index there, and the checkpoint that has it.

    Raises:
        InvalidNote: the checkpoint is not one of this log, signed by one of `keys`.
        InvalidProof: the entry is not where the proof says.
    """
    parsed = Proof.parse(proof)
    checkpoint = open_checkpoint(parsed.checkpoint, origin, keys)
    verify_inclusion(parsed.index, checkpoint.size, leaf_hash(entry), parsed.hashes, checkpoint.root)
    return parsed.index, checkpoint


def verify_copy(
    read: Callable[[str], bytes], origin: str, keys: Sequence[VerifierKey]
) -> tuple[Checkpoint, list[bytes]]:
    """That a full copy of the published log is what its checkpoint says: the checkpoint, and all entries in order.

    `read` gives a file of the copy by its path, such as `tile/entries/000`.

    Raises:
        InvalidNote: the checkpoint is not one of this log, signed by one of `keys`.
        InvalidTile: a file is not what its name says, or it is not what was signed.
    """
    checkpoint = open_checkpoint(read("checkpoint").decode(errors="replace"), origin, keys)
    entries: list[bytes] = []
    tree = Tree(checkpoint.size, lambda tile: read(tile.path))
    for tile in tiles_between(0, checkpoint.size, None):
        entries += entries_of(tile, read(tile.path))
        hashes = [leaf_hash(entry) for entry in entries[tile.number * WIDTH :]]
        if hashes != hashes_of(Tile(0, tile.number, tile.width), read(Tile(0, tile.number, tile.width).path)):
            raise InvalidTile(f"the entries of {tile.path} are not those of the hashes over them")
    for level in range(_LEVELS):
        for tile in tiles_between(0, checkpoint.size, level + 1):
            for number, hash_ in enumerate(hashes_of(tile, read(tile.path)), tile.number * WIDTH):
                below = Tile(level, number)
                if parent(hashes_of(below, read(below.path))) != hash_:
                    raise InvalidTile(f"the hashes of {below.path} are not those of the hash over them")
    if tree.root() != checkpoint.root:
        raise InvalidTile(f"the tiles are not those that were signed: their root is {encoded(tree.root())}")
    return checkpoint, entries


def is_signed(text: str, signature: bytes, key: VerifierKey) -> bool:
    """Whether `key` has signed `text`."""
    message = text.encode()
    if key.type == COSIGNATURE:
        seconds, signature = int.from_bytes(signature[:TIME_BYTES], "big"), signature[TIME_BYTES:]
        message = cosigned(text, seconds)
    public = _public_key(key)
    try:
        if isinstance(public, Ed25519PublicKey):
            public.verify(signature, message)
        else:
            public.verify(signature, message, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _public_key(key: VerifierKey) -> Ed25519PublicKey | EllipticCurvePublicKey:
    if key.type in (ED25519, COSIGNATURE):
        return Ed25519PublicKey.from_public_bytes(key.public)
    if key.type != ECDSA_P256:
        raise ValueError(f"type {key.type:#04x} is not 0x01, 0x02 or 0x04")
    public = load_der_public_key(key.public)
    if not isinstance(public, EllipticCurvePublicKey) or not isinstance(public.curve, SECP256R1):
        raise ValueError("it is not one of the curve P-256")
    return public

"""The Merkle tree of a log: its root, and proofs of inclusion and of consistency (RFC 6962, section 2.1).

All functions follow the RFC's recursion: a tree of more than one leaf has a left part, as large as the largest power
of two below its size, and a right part. A proof has the hashes of the parts that its verifier cannot compute, lowest
first: at most one for each level and one more, so O(log n).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY = sha256(b"").digest()
"""The root of a log without entries."""

SubtreeHash = Callable[[int, int], bytes]
"""The hash of the leaves from `start` up to, but not with, `end`: what a log computes from its tiles."""


class InvalidProof(Exception):
    """The proof does not show what it is said to show."""


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def split(size: int) -> int:
    """The leaves in the left part of a tree of `size` leaves, 2 or more."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, subtree: SubtreeHash) -> list[bytes]:
    """That leaf `index`, counted from 0, is in the tree of the first `size` leaves."""
    proof = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            proof.append(subtree(middle, end))
            end = middle
        else:
            proof.append(subtree(start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, subtree: SubtreeHash) -> list[bytes]:
    """That the tree of the first `new` leaves has that of the first `old` ones, 1 or more, as its beginning."""
    proof = []
    start, end = 0, new
    while old != end:
        middle = start + split(end - start)
        if old <= middle:
            proof.append(subtree(middle, end))
            end = middle
        else:
            proof.append(subtree(start, middle))
            start = middle
    if start:  # Or else this is the old tree, whose root the verifier has.
        proof.append(subtree(start, end))
    return proof[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """That `leaf` is the hash of leaf `index` in the tree of `size` leaves that has this root.

    Raises:
        InvalidProof
    """
    if not 0 <= index < size:
        raise InvalidProof(f"a tree of {size} leaves has no leaf {index}")
    rest = _hashes([leaf, *proof])[1:]

    def computed(index: int, size: int) -> bytes:
        if size == 1:
            return leaf
        sibling, left = _next(rest), split(size)
        if index < left:
            return node_hash(computed(index, left), sibling)
        return node_hash(sibling, computed(index - left, size - left))

    if computed(index, size) != root or rest:
        raise InvalidProof(f"leaf {index} is not in the tree of {size} leaves with this root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """That the tree of `new` leaves has that of `old` leaves, 1 or more, as its beginning.

    Raises:
        InvalidProof
    """
    if not 1 <= old <= new:
        raise InvalidProof(f"nothing proves that a tree of {new} leaves begins with one of {old}")
    rest = _hashes(proof)

    def computed(old: int, new: int, *, whole: bool) -> tuple[bytes, bytes]:
        """The roots of a part in both trees. `whole`: all that the old tree has is in this part."""
        if old == new:
            root = old_root if whole else _next(rest)
            return root, root
        sibling, left = _next(rest), split(new)
        if old <= left:
            of_old, of_new = computed(old, left, whole=whole)
            return of_old, node_hash(of_new, sibling)
        of_old, of_new = computed(old - left, new - left, whole=False)
        return node_hash(sibling, of_old), node_hash(sibling, of_new)

    if computed(old, new, whole=True) != (old_root, new_root) or rest:
        raise InvalidProof(f"the tree of {new} leaves does not begin with the one of {old} that has this root")


def _hashes(proof: Sequence[bytes]) -> list[bytes]:
    if any(len(one) != HASH_BYTES for one in proof):
        raise InvalidProof(f"a hash does not have {HASH_BYTES} bytes")
    return list(proof)


def _next(rest: list[bytes]) -> bytes:
    """The hash of the highest part that is left."""
    if not rest:
        raise InvalidProof("the proof is too short")
    return rest.pop()

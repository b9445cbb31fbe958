"""Roots and proofs of RFC 6962: published known answers, and all trees of up to 300 leaves."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ..transparency.merkle import (
    InvalidProof,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    split,
    verify_consistency,
    verify_inclusion,
)

KNOWN = json.loads((Path(__file__).parent / "vectors" / "rfc6962.json").read_text(encoding="utf-8"))
SIZES = range(1, 301)

BIG_STEP = 1_000_003
"""A prime, so that following numbers name bits of all hashes, and 256 for each hash name all of them."""


@cache
def subtree(start: int, end: int) -> bytes:
    """Of a log whose entries are its indexes, by the RFC's definition."""
    if end - start == 1:
        return leaf_hash(str(start).encode())
    middle = start + split(end - start)
    return node_hash(subtree(start, middle), subtree(middle, end))


def decoded(case: dict[str, Any], *names: str) -> Iterator[bytes]:
    return (b64decode(case[name]) for name in names)


@pytest.mark.parametrize("case", KNOWN["inclusion"], ids=lambda case: case["case"])
def test_a_known_case_of_inclusion(case: dict[str, Any]) -> None:
    leaf, root = decoded(case, "leafHash", "root")
    proof = [b64decode(one) for one in case["proof"] or []]
    verify(case, lambda: verify_inclusion(case["leafIdx"], case["treeSize"], leaf, proof, root))


@pytest.mark.parametrize("case", KNOWN["consistency"], ids=lambda case: case["case"])
def test_a_known_case_of_consistency(case: dict[str, Any]) -> None:
    first, second = decoded(case, "root1", "root2")
    proof = [b64decode(one) for one in case["proof"] or []]
    verify(case, lambda: verify_consistency(case["size1"], case["size2"], first, second, proof))


def verify(case: dict[str, Any], step: Any) -> None:
    if case["wantErr"]:
        with pytest.raises(InvalidProof):
            step()
    else:
        step()


def test_every_leaf_of_every_tree_is_proved_to_be_in_it() -> None:
    for size in SIZES:
        for index in range(size):
            proof = inclusion_proof(index, size, subtree)
            assert len(proof) <= (size - 1).bit_length()
            leaf, root = subtree(index, index + 1), subtree(0, size)
            verify_inclusion(index, size, leaf, proof, root)
            leaf, root, *proof = changed_bit([leaf, root, *proof], 37 * size + index)
            with pytest.raises(InvalidProof):
                verify_inclusion(index, size, leaf, proof, root)


def test_every_tree_is_proved_to_begin_with_every_smaller_one() -> None:
    for new in SIZES:
        for old in range(1, new + 1):
            proof = consistency_proof(old, new, subtree)
            assert len(proof) <= 2 * new.bit_length()
            roots = [subtree(0, old), subtree(0, new)]
            verify_consistency(old, new, roots[0], roots[1], proof)
            first, second, *proof = changed_bit([*roots, *proof], 37 * new + old)
            with pytest.raises(InvalidProof):
                verify_consistency(old, new, first, second, proof)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 100, 299])
def test_any_changed_bit_of_an_inclusion_is_found(size: int) -> None:
    index = size * 2 // 3
    leaf, root, proof = subtree(index, index + 1), subtree(0, size), inclusion_proof(index, size, subtree)

    for changed in with_a_changed_bit([leaf, root, *proof]):
        with pytest.raises(InvalidProof):
            verify_inclusion(index, size, changed[0], changed[2:], changed[1])
    for other in set(range(size + 1)) - {index}:
        with pytest.raises(InvalidProof):
            verify_inclusion(other, size, leaf, proof, root)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (4, 8), (6, 8), (100, 256), (255, 300)])
def test_any_changed_bit_of_a_consistency_is_found(old: int, new: int) -> None:
    roots, proof = [subtree(0, old), subtree(0, new)], consistency_proof(old, new, subtree)

    for changed in with_a_changed_bit([*roots, *proof]):
        with pytest.raises(InvalidProof):
            verify_consistency(old, new, changed[0], changed[1], changed[2:])


def test_a_proof_that_is_too_long_or_too_short_is_refused() -> None:
    leaf, root, proof = subtree(5, 6), subtree(0, 20), inclusion_proof(5, 20, subtree)
    for wrong in (proof[1:], proof[:-1], [*proof, leaf], [leaf, *proof], [], [*proof[:-1], proof[-1] + b"\0"]):
        with pytest.raises(InvalidProof):
            verify_inclusion(5, 20, leaf, wrong, root)


def with_a_changed_bit(hashes: list[bytes]) -> Iterator[list[bytes]]:
    return (changed_bit(hashes, bit) for bit in range(256 * len(hashes)))


def changed_bit(hashes: list[bytes], bit: int) -> list[bytes]:
    """The hashes with one bit of one changed; any number names one."""
    number, bit = divmod(bit * BIG_STEP % (256 * len(hashes)), 256)
    changed = bytearray(hashes[number])
    changed[bit // 8] ^= 1 << bit % 8
    return [*hashes[:number], bytes(changed), *hashes[number + 1 :]]

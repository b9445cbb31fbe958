"""Tiles, bundles and checkpoints: a published log of another implementation, and trees of our own."""

from __future__ import annotations

import json
from base64 import b64decode
from itertools import pairwise
from pathlib import Path

import pytest

from ..transparency.merkle import consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion
from ..transparency.tiles import InvalidTile, Tile, Tree, bundle, entries_of, hashes_of, parent, tiles_between
from ..transparency.verifier import open_checkpoint, trusted_key

PUBLISHED = json.loads((Path(__file__).parent / "vectors" / "tlog-tiles.json").read_text(encoding="utf-8"))
FILES = {path: b64decode(content) for path, content in PUBLISHED["files"].items()}
LEVELS = (None, 0, 1, 2)


def published(tile: Tile) -> bytes:
    return FILES[tile.path]


def made(size: int) -> dict[str, bytes]:
    """The files of a log whose entries are its indexes, grown to `size` at once."""
    entries = [str(index).encode() for index in range(size)]
    hashes = [leaf_hash(entry) for entry in entries]
    files = {tile.path: bundle(entries[tile.number * 256 :][: tile.width]) for tile in tiles_between(0, size, None)}
    for level in (0, 1, 2):
        for tile in tiles_between(0, size, level):
            files[tile.path] = b"".join(hashes[tile.number * 256 :][: tile.width])
        full = len(hashes) // 256 * 256
        hashes = [parent(hashes[start : start + 256]) for start in range(0, full, 256)]
    return files


@pytest.mark.parametrize("size", range(16))
def test_the_published_log_is_what_its_checkpoints_say(size: int) -> None:
    key = trusted_key(PUBLISHED["public_key"])
    checkpoint = open_checkpoint(FILES[f"checkpoint.{size}"].decode(), key.name, [key])

    assert checkpoint.size == size
    assert Tree(size, published).root() == checkpoint.root
    if size:
        tile = Tile(None, 0, size)
        entries = entries_of(tile, published(tile))
        assert [leaf_hash(entry) for entry in entries] == [Tree(size, published).leaf(n) for n in range(size)]
        assert bundle(entries) == published(tile)


@pytest.mark.parametrize(
    ("number", "path"),
    [
        (0, "tile/0/000"),
        (67, "tile/0/067"),
        (999, "tile/0/999"),
        (1_000, "tile/0/x001/000"),
        (1_234_067, "tile/0/x001/x234/067"),
    ],
)
def test_a_tile_is_found_under_its_number(number: int, path: str) -> None:
    assert Tile(0, number).path == path
    assert Tile(0, number, 7).path == f"{path}.p/7"
    assert Tile(None, number).path == path.replace("/0/", "/entries/", 1)


def test_the_tiles_of_a_tree_are_those_of_the_specification() -> None:
    def widths(size: int, level: int) -> list[int]:
        return [tile.width for tile in tiles_between(0, size, level)]

    assert widths(70_000, 0) == [256] * 273 + [112]
    assert widths(70_000, 1) == [256, 17]
    assert widths(70_000, 2) == [1]
    assert widths(256, 0) == [256]
    assert widths(256, 1) == [1]
    assert widths(256, 2) == widths(0, 0) == []


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 300, 511, 512, 65_536, 66_000])
def test_every_hash_of_a_tree_follows_from_its_tiles(size: int) -> None:
    files = made(size)
    reads: list[str] = []

    def read(tile: Tile) -> bytes:
        reads.append(tile.path)
        return files[tile.path]

    tree = Tree(size, read)
    root = tree.root()
    for index in {0, size // 3, size // 2, size - 1}:
        reads.clear()
        fresh = Tree(size, read)
        proof = inclusion_proof(index, size, fresh.subtree)
        verify_inclusion(index, size, fresh.leaf(index), proof, root)
        assert len(reads) == len(set(reads)) <= 6, "a proof takes O(log n) reads"
    for old in {1, size // 2 or 1, size}:
        proof = consistency_proof(old, size, tree.subtree)
        verify_consistency(old, size, root_of(old), root, proof)


def root_of(size: int) -> bytes:
    files = made(size)
    return Tree(size, lambda tile: files[tile.path]).root()


@pytest.mark.parametrize("steps", [[0, 1, 2, 3, 300], [0, 255, 256, 257, 600], [0, 600, 66_000]])
def test_a_log_that_grows_in_steps_has_the_tiles_of_one_that_grew_at_once(steps: list[int]) -> None:
    for old, new in pairwise(steps):
        before, after = made(old), made(new)
        added = {tile.path for level in LEVELS for tile in tiles_between(old, new, level)}
        assert set(after) - set(before) <= added
        assert not {path for path in before if path in after and before[path] != after[path]}


def test_a_file_that_is_not_what_its_name_says_is_refused() -> None:
    with pytest.raises(InvalidTile, match=r"tile/0/000\.p/3 has 64 bytes, not 96"):
        hashes_of(Tile(0, 0, 3), bytes(64))
    for content in (b"\0\1a", b"\0\1a\0\1", b"\0\1a\0\2b", b"\0\1a\0\1b\0", b"\0\1a\0\1b\0\1c"):
        with pytest.raises(InvalidTile, match="does not have 2 whole entries"):
            entries_of(Tile(None, 0, 2), content)

"""The tree of a log as files: hashes in tiles of 256, entries in bundles of as many.

As c2sp.org/tlog-tiles has them (read 2026-11). A full tile never changes. The last one of each level may be partial: it
has a name of its own for each width, so that it does not change either. Any hash follows from O(log n) tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .merkle import EMPTY, HASH_BYTES, node_hash, split

WIDTH = 256
_HEIGHT = 8
"""Levels of the tree that one level of tiles stands for: 2 ** 8 hashes become one of the tile above."""

_MAX_ENTRY_BYTES = 0xFFFF


@dataclass(frozen=True)
class Tile:
    """Hashes `number` * 256 and following of a level of tiles; `level` None is a bundle of entries."""

    level: int | None
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        *upper, last = _thousands(self.number)
        name = "/".join([*(f"x{part:03}" for part in upper), f"{last:03}"])
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{name}{partial}"


Read = Callable[[Tile], bytes]


class InvalidTile(Exception):
    """A file is not what its name says."""


class Tree:
    """The first `size` leaves of a log whose tiles are had by `read`, each at most once."""

    def __init__(self, size: int, read: Read) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[Tile, list[bytes]] = {}

    def root(self) -> bytes:
        return self.subtree(0, self.size) if self.size else EMPTY

    def leaf(self, index: int) -> bytes:
        """The hash of one leaf."""
        return self.subtree(index, index + 1)

    def subtree(self, start: int, end: int) -> bytes:
        """The hash of leaves `start` to `end` - 1, a part of the tree as `merkle` divides it."""
        size = end - start
        if size & (size - 1):
            middle = start + split(size)
            return node_hash(self.subtree(start, middle), self.subtree(middle, end))
        level, height = divmod(size.bit_length() - 1, _HEIGHT)
        first = start >> (level * _HEIGHT)
        number, offset = divmod(first, WIDTH)
        return _folded(self._hashes(level, number)[offset : offset + (1 << height)])

    def _hashes(self, level: int, number: int) -> list[bytes]:
        tile = Tile(level, number, min(WIDTH, (self.size >> (level * _HEIGHT)) - number * WIDTH))
        if tile not in self._tiles:
            self._tiles[tile] = hashes_of(tile, self._read(tile))
        return self._tiles[tile]


def hashes_of(tile: Tile, content: bytes) -> list[bytes]:
    """
    Raises:
        InvalidTile: it does not have as many hashes as its name says.
    """
    if len(content) != tile.width * HASH_BYTES:
        raise InvalidTile(f"{tile.path} has {len(content)} bytes, not {tile.width * HASH_BYTES}")
    return [content[start : start + HASH_BYTES] for start in range(0, len(content), HASH_BYTES)]


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each of at most 65,535 bytes, as the content of a bundle."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def entries_of(tile: Tile, content: bytes) -> list[bytes]:
    """
    Raises:
        InvalidTile: it does not have as many entries as its name says.
    """
    entries, at = [], 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 2], "big")
        entries.append(content[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(content) or len(entries) != tile.width:
        raise InvalidTile(f"{tile.path} does not have {tile.width} whole entries")
    return entries


def tiles_between(old: int, new: int, level: int | None) -> Iterator[Tile]:
    """The tiles of a level that a tree of `new` leaves has and one of `old` leaves has not, in order."""
    height = 0 if level is None else level * _HEIGHT
    had, has = old >> height, new >> height
    if has > had:
        for number in range(had // WIDTH, (has - 1) // WIDTH + 1):
            yield Tile(level, number, min(WIDTH, has - number * WIDTH))


def _folded(hashes: Sequence[bytes]) -> bytes:
    """The root of a full tree over these, of which there are a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def parent(hashes: Sequence[bytes]) -> bytes:
    """What stands for a full tile in the level above."""
    assert len(hashes) == WIDTH
    return _folded(hashes)


def _thousands(number: int) -> list[int]:
    """The digits of a number in base 1,000, highest first."""
    return [*(_thousands(number // 1000) if number >= 1000 else []), number % 1000]

"""Publishes the log: its entries and the tree over them as tiles, and the head of the tree as a signed checkpoint.

Guarantees: what is signed extends what was signed last, which is proved before each signature; no file is changed but
the checkpoint, and that one only grows; any number of publishers at once, stopped anywhere, do no harm. Costs, for n
new entries: about n / 128 + 4 puts to S3, and a signature per key. Fails: `Altered`, if the log or a file is not what
it was when it was published; then nothing is signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .bucket import Altered, Bucket
from .signers import Signer
from .transparency.checkpoints import Checkpoint
from .transparency.merkle import EMPTY, InvalidProof, consistency_proof, leaf_hash, verify_consistency
from .transparency.notes import Note
from .transparency.tiles import WIDTH, Tile, Tree, bundle, entries_of, hashes_of, parent

BATCH = 16 * WIDTH
"""Entries between two checkpoints at most. A multiple of a tile's width, so that few partial tiles are left behind."""

Entries = Callable[[int, int], Sequence[bytes]]
"""The entries of the log behind this position, up to so many, in order; none at its end."""

ForEach = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


class Publisher:
    """`for_each` makes the puts that can be made at the same time: one by one, or with threads."""

    def __init__(
        self, bucket: Bucket, entries: Entries, origin: str, signers: Sequence[Signer], for_each: ForEach = map
    ) -> None:
        self._bucket = bucket
        self._entries = entries
        self._origin = origin
        self._signers = signers
        self._for_each = for_each

    def publish(self, go_on: Callable[[], bool] = lambda: True) -> int:
        """Publish what the log has by now, as long as `go_on()`; answer with how many entries are published.

        Raises:
            Altered: what is in the bucket is not what was signed.
        """
        while True:
            note, version = self._bucket.checkpoint()
            published = self._own(note) if note else Checkpoint(self._origin, 0, EMPTY)
            new = self._entries(published.size, BATCH - published.size % BATCH) if go_on() else []
            if note and not new:
                return published.size
            extended = self._extend(published, new) if new else published
            self._bucket.replace_checkpoint(
                self._bucket.keep_checkpoint(extended.size, self._signed(extended)), version
            )

    def _extend(self, published: Checkpoint, entries: Sequence[bytes]) -> Checkpoint:
        """Put the files of the tree with these entries more; answer with its head, having proved what it extends."""
        size = published.size + len(entries)
        files = self._files(published.size, entries)
        for _ in self._for_each(lambda file: self._bucket.put_once(*file), files.items()):
            pass
        tree = Tree(size, lambda tile: files.get(tile.path) or self._bucket.get(tile.path))
        root = tree.root()
        if published.size:
            try:
                proof = consistency_proof(published.size, size, tree.subtree)
                verify_consistency(published.size, size, published.root, root, proof)
            except InvalidProof as error:
                raise Altered(f"the tiles are not those that were signed at size {published.size}: {error}") from error
        return Checkpoint(self._origin, size, root)

    def _files(self, old: int, entries: Sequence[bytes]) -> dict[str, bytes]:
        """The tiles and bundles, by path, that the tree has with these entries behind the first `old`."""
        begun = entries_of(*self._last_partial(None, old)) if old % WIDTH else []
        files = _files(old, None, [*begun, *entries], bundle)
        level, hashes = 0, [leaf_hash(entry) for entry in entries]
        while hashes:
            had = old >> level * 8
            beside = hashes_of(*self._last_partial(level, had)) if had % WIDTH else []
            if level == 0 and beside != [leaf_hash(entry) for entry in begun]:
                raise Altered(f"the entries of bundle {old // WIDTH} are not those of the tile over them")
            hashes = [*beside, *hashes]
            files |= _files(had, level, hashes, b"".join)
            full = len(hashes) // WIDTH * WIDTH
            level, hashes = level + 1, [parent(hashes[start : start + WIDTH]) for start in range(0, full, WIDTH)]
        return files

    def _last_partial(self, level: int | None, had: int) -> tuple[Tile, bytes]:
        """The last tile of a level that has `had` hashes, which does not fill it."""
        tile = Tile(level, had // WIDTH, had % WIDTH)
        return tile, self._bucket.get(tile.path)

    def _own(self, note: str) -> Checkpoint:
        """The checkpoint in `note`, if this log has signed it: who can put files cannot make it sign another tree."""
        signed = Note.parse(note)
        checkpoint = Checkpoint.parse(signed.text)
        if checkpoint.origin != self._origin or not any(signer.has_signed(signed) for signer in self._signers):
            raise Altered("the checkpoint in the bucket is not one that this log has signed")
        return checkpoint

    def _signed(self, checkpoint: Checkpoint) -> str:
        text = str(checkpoint)
        return str(Note(text, [signer.sign(text) for signer in self._signers]))


def _files(
    had: int, level: int | None, last: Sequence[bytes], joined: Callable[[Sequence[bytes]], bytes]
) -> dict[str, bytes]:
    """The files of a level that had `had` hashes, or entries, and now ends with `last`: from its last tile on."""
    start = had // WIDTH
    parts = [last[first : first + WIDTH] for first in range(0, len(last), WIDTH)]
    return {Tile(level, start + number, len(part)).path: joined(part) for number, part in enumerate(parts)}

"""Proofs about the published log: that an event is in it, and that one state of it begins another.

Costs: O(log n) reads of S3 for either. Event ids rise over the whole log, so the entries are an index of themselves.
What is not there is refused, and all that is answered can be verified without this log (`transparency.verifier`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lambdas.eventstore.errors import Refusal

from .bucket import Bucket, Missing, kept_path
from .transparency.checkpoints import Checkpoint, Proof
from .transparency.merkle import consistency_proof, inclusion_proof
from .transparency.notes import Note
from .transparency.tiles import WIDTH, Tile, Tree, entries_of


class NotFound(Refusal):
    """What is asked for is not in the published log."""

    code = "NotFound"


class Proofs:
    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def digest(self) -> tuple[int, str]:
        """The size of the published log, and its checkpoint as a signed note.

        Raises:
            NotFound: nothing is published yet.
        """
        note, _ = self._bucket.checkpoint()
        if not note:
            raise NotFound("nothing is published yet: invoke publish")
        return _size(note), note

    def of_event(self, event_id: str, size: int | None = None) -> tuple[Proof, bytes]:
        """That an event is in the log, as the checkpoint of `size` has it, or else the latest; and the log's entry.

        Raises:
            NotFound: it is not, or there is no such checkpoint.
        """
        return self._prove(size, lambda log: log.find(event_id), f"event {event_id}")

    def at(self, position: int, size: int | None = None) -> tuple[Proof, bytes]:
        """The same of the event at this position in the global order, counted from 1."""
        return self._prove(size, lambda log: position - 1, f"position {position}")

    def consistency(self, old: int, new: int) -> list[bytes]:
        """That the log of `new` entries begins with the one of `old` entries, which is no more.

        Raises:
            NotFound: so many are not published.
        """
        size, _ = self.digest()
        if new > size:
            raise NotFound(f"the published log has {size} entries, not {new}")
        return consistency_proof(old, new, _Published(self._bucket, size).tree.subtree) if old else []

    def _prove(self, size: int | None, find: Callable[[_Published], int | None], what: str) -> tuple[Proof, bytes]:
        published, note = self.digest()
        if size is not None:
            note = self._kept(size)
        log = _Published(self._bucket, published)
        index, within = find(log), published if size is None else size
        if index is None or not 0 <= index < within:
            raise NotFound(f"{what} is not among the first {within} entries of the log, which are what is published")
        return Proof(index, inclusion_proof(index, within, log.tree.subtree), note), log.entry(index)

    def _kept(self, size: int) -> str:
        try:
            return self._bucket.get(kept_path(size)).decode()
        except Missing:
            raise NotFound(f"no checkpoint of {size} entries was published: leave out size for the latest") from None


class _Published:
    """The first `size` entries of the log. Each file is read once at most."""

    def __init__(self, bucket: Bucket, size: int) -> None:
        self._bucket = bucket
        self._size = size
        self._bundles: dict[int, list[bytes]] = {}
        self.tree = Tree(size, lambda tile: bucket.get(tile.path))

    def entry(self, index: int) -> bytes:
        return self._bundle(index // WIDTH)[index % WIDTH]

    def find(self, event_id: str) -> int | None:
        """The index of the entry of an event: a search by halves, first among bundles and then in one."""
        low, high = 0, -(-self._size // WIDTH) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if _event(self._bundle(middle)[0])["eventId"] <= event_id else (low, middle - 1)
        entries = self._bundle(low) if self._size else []
        found = (number for number, entry in enumerate(entries) if _event(entry)["eventId"] == event_id)
        return next((low * WIDTH + number for number in found), None)

    def _bundle(self, number: int) -> list[bytes]:
        if number not in self._bundles:
            tile = Tile(None, number, min(WIDTH, self._size - number * WIDTH))
            self._bundles[number] = entries_of(tile, self._bucket.get(tile.path))
        return self._bundles[number]


def _size(note: str) -> int:
    return Checkpoint.parse(Note.parse(note).text).size


def _event(entry: bytes) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(entry)
    return event

"""The published log as an auditor reads it: each file as it was first written, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from ..bucket import CHECKPOINT, ERASURES, KEPT
from ..transparency.checkpoints import Checkpoint
from ..transparency.merkle import EMPTY, leaf_hash, node_hash, split
from ..transparency.notes import InvalidNote, VerifierKey
from ..transparency.tiles import InvalidTile, entries_of, parent, tiles_between
from ..transparency.verifier import open_checkpoint

_THREADS = 10


class Published:
    """The bucket of a log, read once."""

    def __init__(self, client: Any, bucket: str, origin: str, keys: Sequence[VerifierKey]) -> None:
        self._client = client
        self._bucket = bucket
        self._origin = origin
        self._keys = keys
        self._versions: dict[str, list[dict[str, Any]]] = {}
        self._checkpoint = Checkpoint(origin, 0, EMPTY)
        self._entries: list[bytes] = []

    def read(self) -> list[bytes]:
        """The entries that the latest checkpoint is about.

        Raises:
            InvalidNote: it is not one that the log has signed.
        """
        self._versions = self._listed()
        if "ETag" in self._versions.get(CHECKPOINT, [{}])[0]:
            self._checkpoint = self._opened(self._latest(CHECKPOINT))
        elif any(not path.startswith(ERASURES) for path in self._versions):
            raise InvalidNote(f"{CHECKPOINT} was deleted" if CHECKPOINT in self._versions else "there is none")
        self._entries = []
        for tile in tiles_between(0, self._checkpoint.size, None):
            try:
                self._entries += entries_of(tile, self._first(tile.path))
            except (KeyError, InvalidTile):
                break
        return self._entries

    def has_record_of_erasure(self, position: int) -> bool:
        return f"{ERASURES}{position}" in self._versions

    def faults(self) -> Iterator[str]:
        """What is wrong with the files, in sentences."""
        for path, versions in self._versions.items():
            if path != CHECKPOINT and versions[0].get("ETag") != versions[-1].get("ETag"):
                done = "was replaced" if "ETag" in versions[0] else "was deleted"
                yield f"{path} {done} after it was published"
        yield from self._faults_of_checkpoints()
        yield from self._faults_of_tiles()

    def _faults_of_checkpoints(self) -> Iterator[str]:
        signed = sorted(self._signed(), key=lambda checkpoint: checkpoint.size)
        if signed and signed[-1].size > self._checkpoint.size:
            yield (
                f"the checkpoint has size {self._checkpoint.size}, and one of size {signed[-1].size} was in its place "
                "before: an old one was put back"
            )
        root, sound = _roots(self._entries), 0
        for checkpoint in signed:
            if checkpoint.size > len(self._entries):
                break
            if root(checkpoint.size) != checkpoint.root:
                yield (
                    f"the entries are not those that were signed at size {checkpoint.size}: the first that differs is "
                    f"between positions {sound + 1} and {checkpoint.size}, or there are two logs under one name"
                )
                return
            sound = checkpoint.size

    def _faults_of_tiles(self) -> Iterator[str]:
        size = self._checkpoint.size
        if len(self._entries) < size:
            yield f"of {size} entries in the checkpoint, the files have only the first {len(self._entries)}"
            return
        level, hashes = 0, [leaf_hash(entry) for entry in self._entries]
        while hashes:
            for tile in tiles_between(0, size, level):
                expected = b"".join(hashes[tile.number * 256 :][: tile.width])
                if self._content(tile.path) != expected:
                    yield f"{tile.path} does not have the hashes of the entries below it"
            full = len(hashes) // 256 * 256
            level, hashes = level + 1, [parent(hashes[start : start + 256]) for start in range(0, full, 256)]

    def _signed(self) -> Iterator[Checkpoint]:
        """Every checkpoint that this log has signed, wherever it is kept. Who may write here may put others, too."""
        files = [(CHECKPOINT, version) for version in self._versions.get(CHECKPOINT, []) if "ETag" in version]
        files += [
            (path, version) for path in self._versions if path.startswith(KEPT) for version in self._versions[path]
        ]
        with ThreadPoolExecutor(_THREADS) as pool:
            contents = pool.map(lambda file: self._get(*file), [file for file in files if "ETag" in file[1]])
            for content in contents:
                try:
                    yield self._opened(content)
                except InvalidNote:
                    continue

    def _opened(self, content: bytes) -> Checkpoint:
        return open_checkpoint(content.decode(errors="replace"), self._origin, self._keys)

    def _content(self, path: str) -> bytes | None:
        try:
            return self._first(path)
        except KeyError:
            return None

    def _first(self, path: str) -> bytes:
        """As it was first written."""
        return self._get(path, self._versions[path][-1])

    def _latest(self, path: str) -> bytes:
        return self._get(path, self._versions[path][0])

    def _get(self, path: str, version: dict[str, Any]) -> bytes:
        response = self._client.get_object(Bucket=self._bucket, Key=path, VersionId=version["VersionId"])
        content: bytes = response["Body"].read()
        return content

    def _listed(self) -> dict[str, list[dict[str, Any]]]:
        """All versions of all files, the latest first; one without an entity tag says that the file was deleted."""
        versions: dict[str, list[dict[str, Any]]] = {}
        start: dict[str, str] = {}
        while True:
            page = self._client.list_object_versions(Bucket=self._bucket, **start)
            deleted = [marker for marker in page.get("DeleteMarkers", []) if marker["IsLatest"]]
            for version in [*deleted, *page.get("Versions", [])]:
                versions.setdefault(version["Key"], []).append(version)
            if not page.get("IsTruncated"):
                break
            start = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
        return versions


def _roots(entries: Sequence[bytes]) -> Callable[[int], bytes]:
    """The root of the tree over the first so many entries."""
    leaves = [leaf_hash(entry) for entry in entries]

    @cache
    def subtree(start: int, end: int) -> bytes:
        if end - start == 1:
            return leaves[start]
        middle = start + split(end - start)
        return node_hash(subtree(start, middle), subtree(middle, end))

    return lambda size: subtree(0, size) if size else EMPTY

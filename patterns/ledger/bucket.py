"""The files of the published log, in S3: each is put once, and only the checkpoint changes."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws

CHECKPOINT = "checkpoint"
KEPT = "checkpoints/"
"""Where each checkpoint stays when a later one has taken its place."""

ERASURES = "erasures/"
"""Where each erasure leaves a record, under the event's position."""

_TEXT, _BYTES = "text/plain; charset=utf-8", "application/octet-stream"


class Altered(Exception):
    """What was published once is not what the log says now."""


class Missing(Exception):
    """There is no such file."""


class Bucket:
    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, path: str) -> bytes:
        """
        Raises:
            Missing
        """
        return self._read(path)[0]

    def put_once(self, path: str, content: bytes) -> None:
        """
        Raises:
            Altered: it is there already, with other content.
        """
        try:
            self._put(path, content, IfNoneMatch="*")
        except ClientError as error:
            if not _is_refused(error):
                raise
            if self.get(path) != content:
                raise Altered(f"{path} is published already, and with other content than the log has now") from None

    def checkpoint(self) -> tuple[str, str]:
        """The checkpoint, and what `replace_checkpoint` knows this version by. Two empty texts if there is none yet."""
        try:
            content, version = self._read(CHECKPOINT)
        except Missing:
            return "", ""
        return content.decode(), version

    def keep_checkpoint(self, size: int, note: str) -> str:
        """The checkpoint of this size, as it was kept first: there are several true signatures of one text."""
        path = kept_path(size)
        try:
            self._put(path, note.encode(), IfNoneMatch="*")
        except ClientError as error:
            if not _is_refused(error):
                raise
            return self.get(path).decode()
        return note

    def replace_checkpoint(self, note: str, version: str) -> bool:
        """Whether the checkpoint was still of this version, and is now `note`."""
        condition = {"IfMatch": version} if version else {"IfNoneMatch": "*"}
        try:
            self._put(CHECKPOINT, note.encode(), **condition)
        except ClientError as error:
            if _is_refused(error):
                return False
            raise
        return True

    def _read(self, path: str) -> tuple[bytes, str]:
        """A file, and its entity tag."""
        try:
            response = self._client.get_object(Bucket=self._name, Key=path)
        except ClientError as error:
            if aws.error_code(error) == "NoSuchKey":
                raise Missing(f"there is no {path} in the bucket") from None
            raise
        return response["Body"].read(), response["ETag"]

    def _put(self, path: str, content: bytes, **condition: str) -> None:
        kind = _TEXT if path.startswith(CHECKPOINT) else _BYTES
        self._client.put_object(Bucket=self._name, Key=path, Body=content, ContentType=kind, **condition)


def kept_path(size: int) -> str:
    return f"{KEPT}{size}"


def _is_refused(error: ClientError) -> bool:
    """The condition of a put does not hold, or another put of the same key is on its way (API_PutObject)."""
    return aws.error_code(error) in ("PreconditionFailed", "ConditionalRequestConflict")

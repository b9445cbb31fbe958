"""A witness: cosigns a checkpoint that extends the one it saw last, so that a log cannot show two histories.

Guarantees: of one log, no two checkpoints are cosigned of which the later does not begin with the earlier, whatever
happens at once or stops halfway: what is cosigned is stored before, by a put on the condition that nothing else was.
Costs: a read and a put of DynamoDB, and two requests to KMS. Fails: the table lost or set back. Then the witness may
cosign a fork, so it has to be given up for another, with another key.
"""

from __future__ import annotations

import re
import time
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws

from .signers import MAX_SIGNED_BYTES, Signer
from .transparency.checkpoints import Checkpoint
from .transparency.merkle import EMPTY, InvalidProof, verify_consistency
from .transparency.notes import InvalidNote, Note, cosigned

_REQUEST = re.compile(
    r"old (?P<old>0|[1-9][0-9]{0,18})\n(?P<proof>(?:[A-Za-z0-9+/]{43}=\n){0,63})\n(?P<note>.+)", re.DOTALL
)


@dataclass(frozen=True)
class Answer:
    """Of HTTP, as c2sp.org/tlog-witness (read 2026-11) fixes it."""

    status: int
    body: str
    content_type: str = "text/plain; charset=utf-8"


class Witness:
    """`logs` are, by origin, the keys of which one has to sign a log's checkpoints. `table` is keyed by origin."""

    def __init__(self, client: Any, table: str, key: Signer, logs: Mapping[str, Sequence[Signer]]) -> None:
        self._client = client
        self._table = table
        self._key = key
        self._logs = logs

    def add_checkpoint(self, request: str) -> Answer:
        """What `POST /add-checkpoint` answers: the witness's signature, or why there is none."""
        try:
            old, proof, note, checkpoint = _parsed(request)
        except InvalidNote as error:
            return Answer(400, f"{error}\n")
        if checkpoint.origin not in self._logs:
            return Answer(404, f"the log {checkpoint.origin} is not known here\n")
        if not any(signer.has_signed(note) for signer in self._logs[checkpoint.origin]):
            return Answer(403, "no key of the log has signed it\n")
        if old > checkpoint.size:
            return Answer(400, "the old size is above that of the checkpoint\n")
        seen = self._seen(checkpoint.origin)
        if old != seen.size or (old == checkpoint.size and old and checkpoint.root != seen.root):
            return _conflict(seen)
        try:
            _verify_extends(seen, checkpoint, proof)
        except InvalidProof as error:
            return Answer(422, f"{error}\n")
        if not self._replace(seen, checkpoint):
            return _conflict(self._seen(checkpoint.origin))
        return Answer(200, str(self._key.cosign(note.text, int(time.time()))))

    def _seen(self, origin: str) -> Checkpoint:
        """The latest checkpoint of this log that was cosigned; of size 0 if none was."""
        response = self._client.get_item(TableName=self._table, Key={"origin": {"S": origin}}, ConsistentRead=True)
        if not (item := response.get("Item")):
            return Checkpoint(origin, 0, EMPTY)
        return Checkpoint(origin, int(item["treeSize"]["N"]), item["rootHash"]["B"])

    def _replace(self, seen: Checkpoint, checkpoint: Checkpoint) -> bool:
        """Whether `seen` was still the latest checkpoint, and `checkpoint` is now."""
        still_seen = "treeSize = :size AND rootHash = :root"
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    "origin": {"S": checkpoint.origin},
                    "treeSize": {"N": str(checkpoint.size)},
                    "rootHash": {"B": checkpoint.root},
                },
                ConditionExpression=still_seen if seen.size else f"attribute_not_exists(origin) OR ({still_seen})",
                ExpressionAttributeValues={":size": {"N": str(seen.size)}, ":root": {"B": seen.root}},
            )
        except ClientError as error:
            if aws.error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _parsed(request: str) -> tuple[int, list[bytes], Note, Checkpoint]:
    if not (match := _REQUEST.fullmatch(request)):
        raise InvalidNote("it should be the line old SIZE, hashes of a proof, an empty line, and a checkpoint")
    note = Note.parse(match["note"])
    if len(cosigned(note.text, 2**63)) > MAX_SIGNED_BYTES:
        raise InvalidNote("the checkpoint is too long to be signed")
    proof = [b64decode(line) for line in match["proof"].split()]
    return int(match["old"]), proof, note, Checkpoint.parse(note.text)


def _verify_extends(seen: Checkpoint, checkpoint: Checkpoint, proof: Sequence[bytes]) -> None:
    if seen.size:
        verify_consistency(seen.size, checkpoint.size, seen.root, checkpoint.root, proof)
    elif proof:
        raise InvalidProof("nothing has to be proved of an empty log")
    if checkpoint.size == 0 and checkpoint.root != EMPTY:
        raise InvalidProof("it is not the root of an empty log")


def _conflict(seen: Checkpoint) -> Answer:
    return Answer(409, f"{seen.size}\n", "text/x.tlog.size")

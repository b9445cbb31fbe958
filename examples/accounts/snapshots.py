"""Snapshots: an account as of one of its events, kept so that a command need not load all that came before.

A cache, and only that. A snapshot counts if its checksum is right, if this code has written it, and if the event that
it names is still the account's event of that version; else everything is loaded. Since a command is recognised by the
events that it stored, a snapshot also has eight bytes of the digest of each command's id: if those of a command are
among them, everything is loaded too. So a snapshot that is missing, old or damaged changes what an answer costs, and
never the answer. Costs 0.5 RRU to read 4 KB, which hold 400 commands, and 1 WRU for each KB to write.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from examples.accounts.account import Account
from lambdas.eventstore import StoredEvent
from lambdas.eventstore.dynamodb.items import to_attribute

FORMAT = 1
"""Counts up whenever the same events come to another account."""

MAX_COMMANDS = 40_000
"""Of an account with snapshots; their digests take 320 KB, and an item 400 at most."""

_DIGEST = 8
"""Bytes."""


@dataclass(frozen=True)
class Snapshot:
    """`account` as of the event with `event_id`; `commands` are the digests of its commands' ids, one after another."""

    account: Account
    event_id: str
    commands: bytes = b""

    def may_have(self, command_id: str) -> bool:
        digest = _digest(command_id)
        places = range(0, len(self.commands), _DIGEST)
        return any(self.commands[place : place + _DIGEST] == digest for place in places)

    @classmethod
    def of(cls, earlier: Snapshot | None, account: Account, later: Iterable[StoredEvent]) -> Snapshot:
        """The snapshot of `account`, to which the `later` events have led since the earlier snapshot."""
        later = list(later)
        ids = [event.metadata["commandId"] for event in later if "commandId" in event.metadata]
        commands = (earlier.commands if earlier else b"") + b"".join(map(_digest, ids))
        return cls(account, later[-1].event_id, commands)


class Snapshots(Protocol):
    every: int
    """How many events a command loads before it leaves a snapshot."""

    def get(self, account_id: str) -> Snapshot | None: ...

    def put(self, snapshot: Snapshot) -> None: ...


class SnapshotTable:
    """Snapshots in a table keyed by `partition` and `sort`, as those of read models are. It fails without a sound."""

    def __init__(self, client: Any, table: str, every: int) -> None:
        self._client, self._table, self.every = client, table, every

    def get(self, account_id: str) -> Snapshot | None:
        try:
            item = self._client.get_item(TableName=self._table, Key=_key(account_id)).get("Item", {})
            content, commands = item["content"]["S"], item["commands"]["B"]
            if item["checksum"]["S"] != _checksum(content, commands):
                return None
            told = json.loads(content)
            return Snapshot(Account(**told["account"]), told["eventId"], commands) if told["format"] == FORMAT else None
        except (BotoCoreError, ClientError, KeyError, TypeError, ValueError):
            return None

    def put(self, snapshot: Snapshot) -> None:
        if len(snapshot.commands) > MAX_COMMANDS * _DIGEST:
            return
        told = {"format": FORMAT, "account": asdict(snapshot.account), "eventId": snapshot.event_id}
        content = json.dumps(told)
        item = {
            **_key(snapshot.account.account_id),
            "content": to_attribute(content),
            "commands": {"B": snapshot.commands},
            "checksum": to_attribute(_checksum(content, snapshot.commands)),
        }
        try:
            self._client.put_item(TableName=self._table, Item=item)
        except (BotoCoreError, ClientError):
            return


def _key(account_id: str) -> dict[str, Any]:
    return {"partition": {"S": f"snapshot/{account_id}"}, "sort": {"S": "snapshot"}}


def _digest(command_id: str) -> bytes:
    return hashlib.sha256(command_id.encode()).digest()[:_DIGEST]


def _checksum(content: str, commands: bytes) -> str:
    return hashlib.sha256(content.encode() + commands).hexdigest()

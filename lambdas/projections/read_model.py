"""The table of a projection: its items, its checkpoint, and which generation of them queries read.

A rebuild fills a new generation beside the live one, so each key begins with its generation. Everything that a batch of
events changes is written in one transaction together with the checkpoint, on the condition that the checkpoint still is
what it was when the batch was begun. So however many runners there are, an event counts once.

Costs, for items of up to 1 KB: 2 WRU for each item that a transaction writes, and 2 WRU for the checkpoint; 1 WRU if
the checkpoint moves alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from lambdas.eventstore import aws
from lambdas.eventstore.dynamodb.items import Attribute, from_attribute, to_attribute
from lambdas.eventstore.dynamodb.reads import get_items
from lambdas.projections.projection import Item, Key

PARTITION, SORT = "partition", "sort"
"""The attributes of the table's key."""

TRANSACTION_ITEMS = 100
TRANSACTION_BYTES = 4_000_000
ITEM_BYTES = 400_000
"""Limits of DynamoDB (developerguide, ServiceQuotas and transaction-apis, read 2026-11), in bytes rounded down."""

RUNNING, STOPPED, FROZEN, REMOVED = "running", "stopped", "frozen", "removed"
"""The status of a generation: STOPPED at an event, FROZEN until its successor is live, REMOVED for good."""

_KEYS = 100
"""Of a BatchGetItem."""

_GENERATIONS = Key("generations", "generations")
_CHECKPOINTS = "checkpoints"
_WHOLE = re.compile(r"-?[0-9]+", re.ASCII)
_UNCHANGED = "attribute_not_exists(revision)"
_UNCHANGED_SINCE = "revision = :revision"
_PASSING = {"None", "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Reasons of a cancelled transaction that another attempt can get past (API_TransactWriteItems, read 2026-11)."""

_NOT_WRITTEN = {
    "ConditionalCheckFailedException",
    "TransactionConflictException",
    # An answer to the SDK's resend: whether the first was written, the next look at the checkpoint tells.
    "IdempotentParameterMismatchException",
}

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Checkpoint:
    """How far a generation of a projection is.

    All events up to `offset` are applied, and none can appear among them any more: reading goes on there. All that has
    been read is applied up to `reached`, which is further where events can be late. `version` is that of the code.
    `newest` is the highest id of an event among these. `revision` counts the writes of the checkpoint, and is what
    fences them; `applied` counts events. `stop` says at which event it stopped and why; `skip` is the id of the event
    to pass over.
    """

    version: int
    offset: str | None = None
    reached: str | None = None
    newest: str = ""
    revision: int = 0
    applied: int = 0
    status: str = RUNNING
    stop: Item | None = None
    skip: str | None = None


@dataclass(frozen=True)
class Generations:
    """The generation that queries read, the one that a rebuild fills, and the one that it has yet to remove."""

    live: int = 1
    building: int | None = None
    removing: int | None = None
    revision: int = 0


class ReadModel:
    """A projection's table. `client` is one of DynamoDB, `name` the table's.

    `get` and `page` are for queries: strongly consistent, of the live generation. All else is the runner's.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def get(self, key: Key) -> Item | None:
        """The live item; None if there is none. Costs 3 RRU for one of up to 4 KB."""
        return self._of_live(lambda generation: self.items(generation, [key]).get(key))

    def page(self, partition: str, after: str | None, limit: int) -> tuple[list[tuple[str, Item]], str | None]:
        """Up to `limit` live items of a partition whose `sort` is above `after`, each with its `sort`, in that order.

        Also answers with the `after` of the next page; None at the end. A page holds 1 MB at most.
        """
        return self._of_live(lambda generation: self._page(generation, partition, after, limit))

    def _of_live(self, read: Callable[[int], Answer]) -> Answer:
        """A generation is removed only once another is live, so that a second look tells whether it was whole."""
        live = self.generations().live
        while True:
            answer, read_from = read(live), live
            live = self.generations().live
            if live == read_from:
                return answer

    def _page(
        self, generation: int, partition: str, after: str | None, limit: int
    ) -> tuple[list[tuple[str, Item]], str | None]:
        query: dict[str, Any] = {
            "KeyConditionExpression": "#partition = :partition",
            "ExpressionAttributeNames": {"#partition": PARTITION},
            "ExpressionAttributeValues": {":partition": {"S": _partition(generation, partition)}},
        }
        if after is not None:
            query["KeyConditionExpression"] += " AND #sort > :after"
            query["ExpressionAttributeNames"]["#sort"] = SORT
            query["ExpressionAttributeValues"][":after"] = {"S": after}
        answer = self._client.query(TableName=self.name, ConsistentRead=True, Limit=limit + 1, **query)
        found = [(item[SORT]["S"], _plain(item)) for item in answer["Items"]]
        more = len(found) > limit or "LastEvaluatedKey" in answer
        return found[:limit], found[:limit][-1][0] if more else None

    def items(self, generation: int, keys: Collection[Key]) -> dict[Key, Item]:
        """Those among the items that exist, strongly consistent."""
        raw = {(_partition(generation, key.partition), key.sort): key for key in keys}
        found: dict[Key, Item] = {}
        wanted = list(raw)
        for first in range(0, len(wanted), _KEYS):
            some = [_raw_key(*key) for key in wanted[first : first + _KEYS]]
            for item in get_items(self._client, self.name, some):
                found[raw[item[PARTITION]["S"], item[SORT]["S"]]] = _plain(item)
        return found

    def checkpoint(self, generation: int) -> Checkpoint | None:
        """None if the generation has none yet."""
        item = self._get(Key(_CHECKPOINTS, str(generation)))
        return Checkpoint(**item) if item else None

    def generations(self) -> Generations:
        item = self._get(_GENERATIONS)
        return Generations(**item) if item else Generations()

    def commit(
        self, generation: int, old: Checkpoint | None, new: Checkpoint, items: Mapping[Key, Item | None] | None = None
    ) -> bool:
        """Writes the checkpoint and the items, all or nothing, unless the checkpoint is no longer `old`.

        False: nothing was written, or nobody knows; a look at the checkpoint tells.
        """
        moved = replace(new, revision=(old.revision if old else 0) + 1)
        put = self._put(Key(_CHECKPOINTS, str(generation)), asdict(moved), old.revision if old else 0)
        if not items:
            return self._written(lambda: self._client.put_item(**put))
        changes = [self._change(generation, key, item) for key, item in items.items()]
        return self._written(lambda: self._client.transact_write_items(TransactItems=[{"Put": put}, *changes]))

    def set_status(self, generation: int, status: str, version: int) -> None:
        """Whatever the checkpoint is: who runs the generation is fenced off. `version` is that of one without any."""
        self._client.update_item(
            TableName=self.name,
            Key=_raw_key(_CHECKPOINTS, str(generation)),
            UpdateExpression="SET #status = :status, #version = if_not_exists(#version, :version) ADD #revision :one",
            ExpressionAttributeNames={"#status": "status", "#version": "version", "#revision": "revision"},
            ExpressionAttributeValues={
                ":status": to_attribute(status),
                ":version": to_attribute(version),
                ":one": to_attribute(1),
            },
        )

    def set_generations(self, old: Generations, new: Generations) -> bool:
        """As `commit`, for the generations."""
        put = self._put(_GENERATIONS, asdict(replace(new, revision=old.revision + 1)), old.revision)
        return self._written(lambda: self._client.put_item(**put))

    def remove(self, generation: int) -> None:
        """Removes the items of a generation, but for its checkpoint, which keeps it from being filled again."""
        scan = {
            "TableName": self.name,
            "FilterExpression": "begins_with(#partition, :generation)",
            "ProjectionExpression": "#partition, #sort",
            "ExpressionAttributeNames": {"#partition": PARTITION, "#sort": SORT},
            "ExpressionAttributeValues": {":generation": {"S": _partition(generation, "")}},
            "ConsistentRead": True,
        }
        start: dict[str, Any] = {}
        while True:
            answer = self._client.scan(**scan, **start)
            for key in answer["Items"]:
                self._client.delete_item(TableName=self.name, Key=key)
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _get(self, key: Key) -> Item | None:
        answer = self._client.get_item(TableName=self.name, Key=_raw_key(*key), ConsistentRead=True)
        return _plain(answer["Item"]) if "Item" in answer else None

    def _put(self, key: Key, values: Item, revision: int) -> dict[str, Any]:
        """A put on the condition that the item still has `revision`; 0 is that of one that does not exist."""
        put = {"TableName": self.name, "Item": {**_raw_key(*key), **_attributes(values)}}
        if not revision:
            return {**put, "ConditionExpression": _UNCHANGED}
        values = {":revision": to_attribute(revision)}
        return {**put, "ConditionExpression": _UNCHANGED_SINCE, "ExpressionAttributeValues": values}

    def _change(self, generation: int, key: Key, item: Item | None) -> dict[str, Any]:
        raw = _raw_key(_partition(generation, key.partition), key.sort)
        if item is None:
            return {"Delete": {"TableName": self.name, "Key": raw}}
        return {"Put": {"TableName": self.name, "Item": {**raw, **_attributes(item)}}}

    def _written(self, write: Callable[[], object]) -> bool:
        try:
            write()
        except ClientError as error:
            passing = set(aws.cancellation_codes(error)) <= _PASSING
            if aws.error_code(error) in _NOT_WRITTEN or (
                aws.error_code(error) == "TransactionCanceledException" and passing
            ):
                return False
            raise
        return True


def stored_item(key: Key, item: Item) -> dict[str, Attribute]:
    """The item about as the table holds it, for its size."""
    return {**_raw_key(_partition(1, key.partition), key.sort), **_attributes(item)}


def _partition(generation: int, partition: str) -> str:
    return f"{generation}/{partition}"


def _raw_key(partition: str, sort: str) -> dict[str, Attribute]:
    return {PARTITION: {"S": partition}, SORT: {"S": sort}}


def _attributes(values: Item) -> dict[str, Attribute]:
    return {name: to_attribute(value) for name, value in values.items()}


def _plain(item: Mapping[str, Attribute]) -> Item:
    return {name: _value(attribute) for name, attribute in item.items() if name not in (PARTITION, SORT)}


def _value(attribute: Attribute) -> Any:
    """Sums of a read model can be larger than the numbers of an event, which `from_attribute` is for."""
    [(kind, value)] = attribute.items()
    match kind:
        case "N" if _WHOLE.fullmatch(value):
            return int(value)
        case "M":
            return {name: _value(inner) for name, inner in value.items()}
        case "L":
            return [_value(inner) for inner in value]
    return from_attribute(attribute)

"""Appending to a table of events whose items are all that there is to write: any index or log comes of them.

Guarantees what `EventStore.store_events` does. Costs, for an item of up to 1 KB: 1 WRU for one event, 2 WRU for each
of several (they go in one transaction), and 1 RRU for each existing aggregate; entries of an index come on top. Fails:
contention that outlasts the invocation is raised, with nothing stored.
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws
from lambdas.eventstore.contract import Append
from lambdas.eventstore.dynamodb import EventsTable, Item, to_item
from lambdas.eventstore.events import NewEvent, StoredEvent
from lambdas.eventstore.retry import pause

_VERSION_IS_FREE = "attribute_not_exists(aggregateId)"
"""Together with "version n-1 exists", read beforehand, this is the whole of optimistic concurrency: events are never
changed or deleted, so what was read cannot become false again, and no transaction has to check it."""

_CONFLICT = "ConditionalCheckFailed"
_CONTENTION = {"None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Cancellation reasons that pass (API_TransactWriteItems): another transaction on the item, or throttling."""


Attributes = Callable[[NewEvent], Item]


def append_events(table: EventsTable, append: Append, also: Attributes = lambda event: {}) -> Sequence[StoredEvent]:
    """`EventStore.store_events`. Each item also has the attributes that `also` gives, such as the key of an index."""
    # The ids stay the same over all attempts, so that one which took effect unseen is recognised by the next.
    event_ids = table.new_ids(append)
    for attempt in count():
        outcome = _write(table, append, event_ids, also)
        if outcome == "stored":
            break
        if outcome == "conflict":
            return table.stored_before(append, event_ids)
        pause(attempt, "other transactions kept the items of this request busy")
    return [event.stored(event_id) for event, event_id in zip(append.events, event_ids, strict=True)]


def _write(table: EventsTable, append: Append, event_ids: Sequence[str], also: Attributes) -> str:
    """Put all items or none: "stored", "conflict" (a version is taken), or "busy" (nothing stored, try again)."""
    puts: list[dict[str, Any]] = [
        {
            "TableName": table.name,
            "Item": {**to_item(event, event_id, append), **also(event)},
            "ConditionExpression": _VERSION_IS_FREE,
        }
        for event, event_id in zip(append.events, event_ids, strict=True)
    ]
    try:
        if len(puts) == 1:
            table.client.put_item(**puts[0])
        else:
            table.client.transact_write_items(TransactItems=[{"Put": put} for put in puts])
    except ClientError as error:
        match aws.error_code(error):
            case "ConditionalCheckFailedException":
                return "conflict"
            case "TransactionConflictException":
                return "busy"
            case "TransactionCanceledException":
                codes = aws.cancellation_codes(error)
                if _CONFLICT in codes:
                    return "conflict"
                if set(codes) <= _CONTENTION:
                    return "busy"
        raise
    return "stored"

"""Reading DynamoDB past the limits of one request: pages of a Query, unprocessed keys, transactions half visible.

Costs nothing beyond the requests that it takes. Fails: a page that stays incomplete is raised as `OutOfTime`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from lambdas.eventstore.dynamodb.items import Item, to_attribute
from lambdas.eventstore.retry import Retries


def query_items(client: Any, query: dict[str, Any], page_size: int) -> Iterator[Item]:
    """Items of a query, drawn page by page only as far as they are consumed."""
    start: dict[str, Any] = {}
    while True:
        response = client.query(**query, **start, Limit=page_size)
        yield from response["Items"]
        if "LastEvaluatedKey" not in response:
            return
        start = {"ExclusiveStartKey": response["LastEvaluatedKey"]}


def get_items(client: Any, table: str, keys: Sequence[Item], attributes: Sequence[str] = ()) -> Iterator[Item]:
    """The items that exist among `keys` (at most 100, the limit of BatchGetItem), in no order; strongly consistent."""
    request: dict[str, Any] = {"Keys": keys, "ConsistentRead": True}
    if attributes:
        request["ProjectionExpression"] = ", ".join(attributes)
    retries = Retries()
    while request["Keys"]:
        response = client.batch_get_item(RequestItems={table: request})
        yield from response["Responses"].get(table, [])
        unprocessed = response.get("UnprocessedKeys", {}).get(table, {"Keys": []})
        if len(unprocessed["Keys"]) == len(request["Keys"]):
            retries.pause("DynamoDB processed no key of a BatchGetItem")
        request = unprocessed


def gapless(read: Callable[[int], Iterable[Item]], number: str, first: int) -> Iterator[Item]:
    """The items that `read(first)` yields, whose `number` counts up from `first`; one that is missing is waited for.

    A Query is only read-committed against a transaction: while one commits, a later item of it can be seen before an
    earlier (developerguide/transaction-apis, isolation levels). A reader that went on from there would never see it.
    """
    retries = Retries()
    while True:
        for item in read(first):
            if item[number] != to_attribute(first):
                break
            yield item
            first += 1
        else:
            return
        retries.pause(f"{number} {first} is missing, and a later one is not")

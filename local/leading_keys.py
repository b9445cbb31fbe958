"""Gives IAM the condition key dynamodb:LeadingKeys, which MiniStack leaves out: the partition keys of a request.

Those of a single item, and of each item of a transaction (DynamoDB guide, specifying-conditions, read 2026-11). Of
queries and batches the key stays absent, so a policy that asks for it denies them.
"""

import json
from collections.abc import Iterator
from typing import Any


def install() -> None:
    """Changes the emulator, which must have been imported."""
    from ministack.core import iam_actions  # type: ignore[import-not-found, unused-ignore]

    context_of = iam_actions.dynamodb_service_context

    def with_leading_keys(body: bytes) -> dict[str, Any]:
        context: dict[str, Any] = context_of(body)
        if keys := list(_leading_keys(body)):
            context["dynamodb:LeadingKeys"] = keys
        return context

    iam_actions.dynamodb_service_context = with_leading_keys


def _leading_keys(body: bytes) -> Iterator[str]:
    from ministack.services import dynamodb  # type: ignore[import-not-found, unused-ignore]

    try:
        request = json.loads(body or b"{}")
        actions = [action for item in request.get("TransactItems", []) for action in item.values()]
        for action in [request, *actions]:
            named = action.get("Item") or action.get("Key")
            table = dynamodb._tables.get(str(action.get("TableName")).rpartition("/")[2])
            if named and table:
                yield from map(str, named.get(table["pk_name"], {}).values())
    except (ValueError, AttributeError):
        return  # not a request that DynamoDB would answer either

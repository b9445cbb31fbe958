"""Answers a transaction that is sent again with its token as it was answered before, whatever numbers it holds.

MiniStack remembers a transaction by its parameters, to tell whether a request token comes back with the same ones. It
remembers the very objects whose numbers it then rewrites to their canonical form ("1.0" to "1"), so that the same
request, sent again, differs: IdempotentParameterMismatchException. An SDK sends again when an answer was lost.

In MiniStack: `signature` in `_transact_write_items` becomes a deep copy.
"""

import copy
from typing import Any

from local.dynamodb.names import with_names


def install(dynamodb: Any) -> None:
    original, look_up, store = (
        dynamodb._transact_write_items,
        dynamodb._txn_token_lookup,
        dynamodb._txn_token_store,
    )

    def transact_write_items(data: dict[str, Any]) -> Any:
        asked: dict[str, Any] = {}

        def looking_up(token: str) -> Any:
            asked.update(copy.deepcopy({name: value for name, value in data.items() if name != "ClientRequestToken"}))
            return look_up(token)

        def storing(token: str, entry: dict[str, Any]) -> None:
            store(token, entry | {"signature": asked})

        return with_names(original, _txn_token_lookup=looking_up, _txn_token_store=storing)(data)

    dynamodb._transact_write_items = transact_write_items

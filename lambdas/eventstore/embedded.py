"""A pattern's store in a function that is not the pattern's own, such as a projection: by its output `store`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lambdas.eventstore.contract import AggregatePage, Append, EventStore, LogPage
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.loading import store_of


def store_of_outputs(store: Mapping[str, Any]) -> EventStore:
    """The store that the output describes. Calls no AWS service.

    Args:
        store: `pattern`, and by operation the `environments`. Where these differ, as by a login, so do the clients.
    """
    stores: dict[str, EventStore] = {}
    by_operation: dict[str, EventStore] = {}
    for operation, environ in store["environments"].items():
        same = json.dumps(environ, sort_keys=True)
        if same not in stores:
            stores[same] = store_of({**environ, "PATTERN": store["pattern"]})
        by_operation[operation] = stores[same]
    return next(iter(stores.values())) if len(stores) == 1 else _ByOperation(by_operation)


class _ByOperation(EventStore):
    def __init__(self, stores: Mapping[str, EventStore]) -> None:
        self._stores = stores

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        return self._stores["store_events"].store_events(append)

    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        return self._stores["get_aggregate_events"].get_aggregate_events(aggregate_id, from_version, limit)

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        return self._stores["get_all_events"].get_all_events(after, limit)

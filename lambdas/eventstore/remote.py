"""A deployed event store, as an `EventStore`: each operation invokes its Lambda.

For programs that use a store over AWS (the sample domain does), and for tests that treat a deployed pattern and one
in process alike. Costs one synchronous Lambda invocation an operation. Fails with `InvocationFailed` when the
Lambda raised.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lambdas.eventstore.contract import AggregatePage, Append, EventStore, LogPage
from lambdas.eventstore.errors import InvalidRequest, VersionConflict
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.wire import Operation


class InvocationFailed(Exception):
    """The Lambda raised: an infrastructure failure. Its log says more; a request with a `request_id` may be retried."""


class RemoteEventStore(EventStore):
    """`client` is a Lambda client (botocore's or boto3's); `functions` names the function of each operation."""

    def __init__(self, client: Any, functions: Mapping[Operation, str]) -> None:
        self._client = client
        self._functions = functions

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        request: dict[str, Any] = {"events": [event.to_wire() for event in append.events]}
        if append.request_id is not None:
            request["requestId"] = append.request_id
        return _events(self._call("store_events", request))

    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:
        request = {"aggregateId": aggregate_id, "fromVersion": from_version, "limit": limit}
        response = self._call("get_aggregate_events", request)
        return AggregatePage(_events(response), response["nextVersion"])

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        request: dict[str, Any] = {"limit": limit} if after is None else {"after": after, "limit": limit}
        response = self._call("get_all_events", request)
        return LogPage(_events(response), response["next"], response["hasMore"])

    def call(self, operation: Operation, request: Any) -> dict[str, Any]:
        """The wire itself: any JSON in, the Lambda's answer out.

        Raises:
            InvocationFailed: the Lambda raised, timed out or could not start.
        """
        result = self._client.invoke(FunctionName=self._functions[operation], Payload=json.dumps(request).encode())
        response = json.loads(result["Payload"].read())
        if "FunctionError" in result:
            raise InvocationFailed(f"{self._functions[operation]}: {response.get('errorMessage', response)}")
        return dict(response)

    def _call(self, operation: Operation, request: dict[str, Any]) -> dict[str, Any]:
        response = self.call(operation, request)
        if error := response.get("error"):
            if error["code"] == VersionConflict.code:
                raise VersionConflict(error["aggregateId"], error["expectedVersion"], error["currentVersion"])
            raise InvalidRequest.from_wire(error)
        return response


def _events(response: dict[str, Any]) -> list[StoredEvent]:
    return [StoredEvent.from_wire(event) for event in response["events"]]

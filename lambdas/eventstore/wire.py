"""The wire: JSON requests in, JSON answers out, for any store.

A request is checked in full before the store sees it: first its form (`wire.schema.json`), then what JSON Schema
cannot state (I-JSON, sizes). Refusals become `{"error": …}`; failures pass through as exceptions. The validators are
compiled once, when this module is imported: compiling them on each call would cost more than a DynamoDB request.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

import fastjsonschema

from lambdas.eventstore import ijson
from lambdas.eventstore.contract import Append, EventStore
from lambdas.eventstore.errors import InvalidRequest, Refusal
from lambdas.eventstore.events import NewEvent
from lambdas.eventstore.limits import EVENT_BYTES, REQUEST_BYTES
from lambdas.eventstore.printable import is_printable
from lambdas.eventstore.retry import DEFAULT_SECONDS, time_limit

Operation = Literal["store_events", "get_aggregate_events", "get_all_events"]
OPERATIONS: tuple[Operation, ...] = ("store_events", "get_aggregate_events", "get_all_events")

_DEFAULT_LIMIT = 100


def answer(store: EventStore, operation: Operation, request: Any, seconds: float = DEFAULT_SECONDS) -> dict[str, Any]:
    """What `operation` answers to `request`: a response, or `{"error": {"code", "message", …}}`.

    Contention is retried for up to `seconds`, the time that the invocation has left, and then raised.
    """
    try:
        _validate(operation, request)
        with time_limit(seconds):
            return _HANDLERS[operation](store, request)
    except Refusal as refusal:
        return {"error": refusal.to_wire()}


def _store_events(store: EventStore, request: dict[str, Any]) -> dict[str, Any]:
    _check_events(request)
    append = Append(tuple(map(NewEvent.from_wire, request["events"])), request.get("requestId"))
    return {"events": [event.to_wire() for event in store.store_events(append)]}


def _get_aggregate_events(store: EventStore, request: dict[str, Any]) -> dict[str, Any]:
    limit = int(request.get("limit", _DEFAULT_LIMIT))
    page = store.get_aggregate_events(request["aggregateId"], int(request.get("fromVersion", 1)), limit)
    return {"events": [event.to_wire() for event in page.events], "nextVersion": page.next_version}


def _get_all_events(store: EventStore, request: dict[str, Any]) -> dict[str, Any]:
    page = store.get_all_events(request.get("after"), int(request.get("limit", _DEFAULT_LIMIT)))
    return {"events": [event.to_wire() for event in page.events], "next": page.next, "hasMore": page.has_more}


_HANDLERS: dict[str, Callable[[EventStore, dict[str, Any]], dict[str, Any]]] = {
    "store_events": _store_events,
    "get_aggregate_events": _get_aggregate_events,
    "get_all_events": _get_all_events,
}


def _check_events(request: dict[str, Any]) -> None:
    """I-JSON before sizes: only what passed the first can be written as JSON."""
    for index, event in enumerate(request["events"]):
        ijson.check(event["metadata"], f"/events/{index}/metadata")
        if (size := _json_bytes(event)) > EVENT_BYTES:
            raise InvalidRequest(
                f"/events/{index}",
                f"is {size:,} bytes of JSON, over the limit of {EVENT_BYTES:,}: keep large payloads elsewhere "
                "(in S3, say) and store a reference",
            )
    if (size := _json_bytes(request)) > REQUEST_BYTES:
        raise InvalidRequest(
            "/events",
            f"make a request of {size:,} bytes, over the limit of {REQUEST_BYTES:,}: send fewer at a time",
        )


def _json_bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _validate(operation: Operation, request: Any) -> None:
    try:
        _VALIDATORS[operation](request)
    except fastjsonschema.JsonSchemaValueException as error:
        raise _explained(error) from None


def _explained(error: fastjsonschema.JsonSchemaValueException) -> InvalidRequest:
    """The schema's verdict as a pointer to the field and a sentence to act on."""
    path = "".join(f"/{ijson.escape(str(step))}" for step in error.path[1:])
    definition = cast(dict[str, Any], error.definition)
    if error.rule == "required":
        missing = next(name for name in definition["required"] if name not in error.value)
        return InvalidRequest(f"{path}/{missing}", f"is missing{_hint(definition['properties'][missing])}")
    if error.rule == "additionalProperties":
        unknown = next(name for name in error.value if name not in definition["properties"])
        known = ", ".join(definition["properties"])
        return InvalidRequest(
            f"{path}/{ijson.escape(str(unknown))}", f"is no field here: remove it (fields are {known})"
        )
    verdict = error.message.removeprefix(error.name or "").strip()
    return InvalidRequest(path, f"{verdict}{_hint(definition)}")


def _hint(definition: dict[str, Any]) -> str:
    """What the schema says of a field, for a person."""
    definition = _SCHEMA["definitions"].get(definition.get("$ref", "").removeprefix("#/definitions/"), definition)
    return f": {definition['description']}" if "description" in definition else ""


_SCHEMA = json.loads(Path(__file__).with_name("wire.schema.json").read_text(encoding="utf-8"))
_VALIDATORS: dict[str, Callable[[Any], Any]] = {
    operation: fastjsonschema.compile(
        {"$ref": f"#/definitions/{operation}.request", **_SCHEMA}, formats={"printable": is_printable}
    )
    for operation in OPERATIONS
}

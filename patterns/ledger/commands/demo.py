"""What `make demo` shows of a ledger beyond the contract: a proof, and a forger who is found."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from rich.console import Console

from lambdas.eventstore import Append, EventStore, aws
from lambdas.eventstore.dynamodb.items import to_attribute
from lambdas.eventstore.events import NewEvent
from tools.console import Failure

from ..transparency.verifier import trusted_key, verify_proof
from .verify import Verification


def demo(store: EventStore, outputs: Mapping[str, Any], console: Console) -> None:
    """Publish, prove an event and verify the proof; forge the event, and have that found; then put it back.

    Raises:
        Failure: the ledger did not do what it is for.
    """
    aggregate = str(uuid4())
    console.print("[bold]5. Proved to have been stored[/bold]")
    [stored] = store.store_events(Append((NewEvent(aggregate, 1, "PRICE_AGREED", 1, {"price": 100}),)))
    size = _call(outputs["publish"])["size"]
    console.print(f"   an event is stored, and the log published: {size} entries under a signed checkpoint")
    answer = _call(outputs["get_proof"], eventId=stored.event_id)
    keys = [trusted_key(key) for key in outputs["log_keys"]]
    entry = b64decode(answer["entry"])
    index, checkpoint = verify_proof(answer["proof"], entry, outputs["log_origin"], keys)
    console.print(f"   verified with the log's public key alone: it is entry {index + 1} of {checkpoint.size}")
    console.print(f"      {entry.decode()}", markup=False)

    console.print("\n[bold]6. A forger is found[/bold]")
    _expect(not any(Verification.of(outputs).differences()), "an honest store verifies")
    _set_price(outputs["table"], aggregate, 1)
    forged = store.get_aggregate_events(aggregate, 1, 1).events[0].metadata
    console.print("   nothing differs; then somebody with rights to the table changes the price")
    console.print(f"      get_aggregate_events answers {json.dumps(forged)}", markup=False)
    try:
        differences = list(Verification.of(outputs).differences())
    finally:
        _set_price(outputs["table"], aggregate, 100)
    _expect(any(aggregate in str(difference) for difference in differences), "the forged event is found")
    for difference in differences:
        console.print(f"      make verify says {difference}", markup=False)
    _expect(not any(Verification.of(outputs).differences()), "the store verifies once the price is put back")
    console.print("   the price is put back, and nothing differs\n")


def _call(function: str, **request: Any) -> dict[str, Any]:
    response = aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(request))
    answer: dict[str, Any] = json.loads(response["Payload"].read())
    _expect("FunctionError" not in response and "error" not in answer, f"{function} answers, but: {answer}")
    return answer


def _set_price(table: str, aggregate: str, price: int) -> None:
    aws.client("dynamodb").update_item(
        TableName=table,
        Key={"aggregateId": to_attribute(aggregate), "aggregateVersion": to_attribute(1)},
        UpdateExpression="SET metadata = :forged",
        ExpressionAttributeValues={":forged": to_attribute({"price": price})},
    )


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise Failure(f"The ledger does not show that {what}. Please report this.")

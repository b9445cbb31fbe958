"""An erased payload is nowhere any more, and all that was proved of its event still is."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from testkit import faults
from testkit.aws_calls import Watch
from testkit.clients import client
from testkit.faults import Fault
from testkit.trials import FAILURES, numbers

from ..log import LedgerLog
from .ledgers import Ledger
from .test_proofs import verified

pytestmark = pytest.mark.usefixtures("watch")

SECRET = "Josh Armitage, born 1984-05-06"
LARGE = random.Random(1).randbytes(5_000).hex()
"""So much that its request has a body."""


def stored(ledger: Ledger, large: str = "") -> None:
    """A request of three events, of which the second has the secret, and one before and behind it."""
    ledger.append(("ann", 1))
    events = [
        {"aggregateId": "ann", "aggregateVersion": 2, "eventType": "T", "eventVersion": 1, "metadata": {"n": 1.5}},
        {"aggregateId": "josh", "aggregateVersion": 1, "eventType": "T", "eventVersion": 1, "metadata": {"s": SECRET}},
        {"aggregateId": "josh", "aggregateVersion": 2, "eventType": "T", "eventVersion": 1, "metadata": {"s": large}},
    ]
    ledger.store.store(*events, request_id="the request")
    ledger.append(("ann", 3))


def everything(ledger: Ledger) -> str:
    """All that is in the tables and in all versions of all files, as text."""
    texts: list[str] = []
    for table in ("TABLE", "LOG_TABLE"):
        for item in client("dynamodb").scan(TableName=ledger.environment[table])["Items"]:
            texts += [json.dumps(item, default=lambda value: _text(value), ensure_ascii=False)]
    bucket = ledger.environment["TILES_BUCKET"]
    for version in client("s3").list_object_versions(Bucket=bucket).get("Versions", []):
        file = client("s3").get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        texts.append(file["Body"].read().decode(errors="replace"))
    return "\n".join(texts)


def _text(value: bytes) -> str:
    return zlib.decompress(value).decode() if value else ""


@pytest.mark.parametrize("large", ["", LARGE], ids=["in the page", "in a body"])
@pytest.mark.parametrize("publish_first", [True, False], ids=["published", "not published yet"])
def test_an_erased_payload_is_nowhere_and_every_proof_stays_valid(large: str, publish_first: bool) -> None:
    ledger = Ledger()
    stored(ledger, large)
    digest, salt = ledger.item("josh", 1)["requestDigest"]["S"], ledger.item("josh", 1)["salt"]["S"]
    assert SECRET in everything(ledger)
    if publish_first:
        ledger.publish()
        before = [ledger.proof(offset=str(n)) for n in range(1, 6)]

    assert ledger.erase(aggregateId="josh", aggregateVersion=1) == {"erased": 1}

    left = everything(ledger)
    assert SECRET not in left
    assert digest not in left, "with it, guesses can be tried"
    assert salt not in left
    if not publish_first:
        ledger.publish()
        before = [ledger.proof(offset=str(n)) for n in range(1, 6)]
    entries = [verified(ledger, ledger.proof(offset=str(n)))[2] for n in range(1, 6)]
    assert [verified(ledger, answer)[2] for answer in before] == entries
    erased = {"erased": entries[2]["commitment"]}
    assert ledger.differences() == []
    assert [event["metadata"] for event in ledger.store.aggregate("josh")] == [erased, {"s": large}]
    assert [event["metadata"] for event in ledger.store.tail(None)[0]][1:4] == [{"n": 1.5}, erased, {"s": large}]


def test_a_whole_aggregate_is_erased() -> None:
    ledger = Ledger()
    stored(ledger, LARGE)

    assert ledger.erase(aggregateId="josh") == {"erased": 2}
    assert ledger.erase(aggregateId="josh") == {"erased": 2}

    assert SECRET not in everything(ledger)
    assert LARGE not in everything(ledger)
    assert [list(event["metadata"]) for event in ledger.store.aggregate("josh")] == [["erased"], ["erased"]]
    assert ledger.store.aggregate("ann")[1]["metadata"] == {"n": 1.5}
    assert ledger.differences() == []
    ledger.append(("josh", 3))


def test_an_event_that_its_writer_has_not_put_into_the_table_yet_is_erased_too() -> None:
    ledger = Ledger()
    stored(ledger)
    ledger.delete("ann", 3)

    assert ledger.erase(aggregateId="ann", aggregateVersion=3) == {"erased": 1}
    assert list(ledger.item("ann", 3)["metadata"]["M"]) == ["erased"]
    assert ledger.differences() == []


def test_a_repeated_request_is_not_recognised_any_more() -> None:
    ledger = Ledger()
    stored(ledger)
    ledger.erase(aggregateId="josh", aggregateVersion=1)

    repeated = {"aggregateId": "josh", "aggregateVersion": 1, "eventType": "T", "eventVersion": 1, "metadata": {}}
    assert ledger.store.try_to_store(repeated, request_id="the request")["error"]["code"] == "VersionConflict"


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({}, "InvalidRequest"),
        ({"aggregateId": 1}, "InvalidRequest"),
        ({"aggregateId": "josh", "aggregateVersion": 0}, "InvalidRequest"),
        ({"aggregateId": "josh", "version": 1}, "InvalidRequest"),
        ({"aggregateId": "josh", "aggregateVersion": 3}, "NotFound"),
        ({"aggregateId": "nobody"}, "NotFound"),
    ],
)
def test_what_cannot_be_erased_is_refused(request_: dict[str, Any], error: str) -> None:
    ledger = Ledger()
    stored(ledger)

    assert ledger.erase(**request_)["error"]["code"] == error
    assert SECRET in everything(ledger)


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_an_erasure_that_fails_at_any_call_is_completed_by_the_next(watch: Watch, kind: type[Fault]) -> None:
    for number in numbers():
        ledger = Ledger()
        stored(ledger, LARGE)
        ledger.publish()
        fault = kind(number)
        with watch.recording(fault), suppress(*FAILURES):
            ledger.erase(aggregateId="josh", aggregateVersion=1)
        assert {difference.kind for difference in ledger.differences()} <= {"erased"}

        assert ledger.erase(aggregateId="josh", aggregateVersion=1) == {"erased": 1}
        assert ledger.differences() == []
        assert SECRET not in everything(ledger)
        if not fault.struck:
            break
    assert number > 5


def test_a_payload_that_somebody_removed_without_a_record_is_no_erasure() -> None:
    """Somebody with every right to the tables, and none to the bucket."""
    ledger = Ledger()
    stored(ledger)
    put_once = "patterns.ledger.bucket.Bucket.put_once"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(put_once, lambda *_: None)
        ledger.erase(aggregateId="josh", aggregateVersion=1)

    [difference] = ledger.differences()
    assert str(difference).startswith(
        "erased: version 1 of aggregate 'josh', position 3: its payload is gone, and there"
    )


def test_two_erasures_in_one_page_at_once_are_both_made() -> None:
    ledger = Ledger()
    stored(ledger, LARGE)

    assert erasing_in_between(ledger) == {"erased": 1}
    assert [list(event["metadata"]) for event in ledger.store.aggregate("josh")] == [["erased"], ["erased"]]
    assert SECRET not in everything(ledger)
    assert LARGE not in everything(ledger)
    assert ledger.differences() == []


def erasing_in_between(ledger: Ledger) -> dict[str, Any]:
    """One erasure, in which another one of the same page happens right before the page is replaced."""
    replace: Callable[..., bool] = LedgerLog.replace
    with pytest.MonkeyPatch.context() as patch:

        def once_another_is_done(*given: Any, **named: Any) -> bool:
            patch.undo()
            ledger.erase(aggregateId="josh", aggregateVersion=2)
            return replace(*given, **named)

        patch.setattr(LedgerLog, "replace", once_another_is_done)
        return ledger.erase(aggregateId="josh", aggregateVersion=1)

"""What `get_digest` and `get_proof` answer: it verifies with public keys alone, and takes O(log n) reads."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from typing import Any

import pytest

from lambdas.eventstore import ksuids
from lambdas.eventstore.contract import Append
from lambdas.eventstore.events import NewEvent
from lambdas.eventstore.log_first.log import Request
from testkit.aws_calls import Watch
from testkit.clients import client
from testkit.schedules import clock_moved

from ..log import LedgerLog
from ..store import salted
from ..transparency.merkle import EMPTY, verify_consistency
from ..transparency.verifier import open_checkpoint, trusted_key, verify_proof
from . import harness
from .ledgers import Ledger

pytestmark = pytest.mark.usefixtures("watch")


@pytest.fixture(scope="module")
def ledger(watch: Watch) -> Ledger:
    """Three events, of which two were published first."""
    ledger = Ledger()
    ledger.append(("ann", 1), ("ann", 2))
    ledger.publish()
    ledger.append(("ann", 3))
    ledger.publish()
    return ledger


@pytest.fixture(scope="module")
def large(watch: Watch) -> tuple[Ledger, list[str]]:
    """20,000 events, published at 120 and at the end, and their ids. Items are left out: proofs are about the log."""
    ledger, ids = Ledger(), ksuids.issue(20_000, time.time())
    log = LedgerLog(client("dynamodb"), ledger.environment["LOG_TABLE"])
    for first in range(0, len(ids), 40):
        events = tuple(NewEvent(f"a{first}", n, "TICK", 1, {"n": n}) for n in range(1, 41))
        request = Request(Append(events), as_stored=salted)
        log.append(request, request.entries(ids[first : first + 40]), first + 1)
        if first == 80:
            ledger.publish()
    ledger.publish()
    return ledger, ids


def verified(ledger: Ledger, answer: dict[str, Any]) -> tuple[int, int, dict[str, Any]]:
    """Index, size of the checkpoint, and the entry: verified."""
    entry, keys = b64decode(answer["entry"]), [trusted_key(key) for key in ledger.outputs()["log_keys"]]
    index, checkpoint = verify_proof(answer["proof"], entry, harness.ORIGIN, keys)
    return index, checkpoint.size, json.loads(entry)


def test_an_event_is_proved_by_its_id_and_by_its_offset(ledger: Ledger) -> None:
    for stored in ledger.store.aggregate("ann"):
        position = stored["aggregateVersion"]
        for request in ({"eventId": stored["eventId"]}, {"offset": str(position)}):
            index, size, entry = verified(ledger, ledger.proof(**request))
            assert (index, size) == (position - 1, 3)
            assert {**stored, "offset": None, "metadata": None} == {
                **{name: value for name, value in entry.items() if name != "commitment"},
                "offset": None,
                "metadata": None,
            }


def test_an_event_is_proved_to_be_in_the_checkpoint_that_is_asked_for(ledger: Ledger) -> None:
    assert verified(ledger, ledger.proof(offset="1", size=2))[:2] == (0, 2)
    assert verified(ledger, ledger.proof(offset="1", size=3.0))[:2] == (0, 3)
    assert ledger.proof(offset="3", size=2)["error"]["code"] == "NotFound"


def test_the_digest_is_the_latest_checkpoint(ledger: Ledger) -> None:
    digest = ledger.digest()
    keys = [trusted_key(key) for key in ledger.outputs()["log_keys"]]

    assert digest["size"] == open_checkpoint(digest["checkpoint"], harness.ORIGIN, keys).size == 3


def test_a_checkpoint_is_proved_to_extend_another(ledger: Ledger) -> None:
    keys = [trusted_key(key) for key in ledger.outputs()["log_keys"]]
    old, new = (open_checkpoint(ledger.file(f"checkpoints/{size}").decode(), harness.ORIGIN, keys) for size in (2, 3))
    proof = [b64decode(one) for one in ledger.proof(**{"from": 2, "to": 3})["consistency"]]

    verify_consistency(2, 3, old.root, new.root, proof)
    assert ledger.proof(**{"from": 3, "to": 3}) == ledger.proof(**{"from": 0, "to": 3}) == {"consistency": []}


@pytest.mark.parametrize(
    "request_",
    [
        {"eventId": "unknown"},
        {"eventId": ""},
        {"eventId": "~" * 1000},
        {"offset": "0"},
        {"offset": "4"},
        {"offset": "1", "size": 1},
        {"offset": "1", "size": 4},
        {"offset": "1", "size": 2**53 - 1},
        {"from": 1, "to": 4},
    ],
)
def test_what_is_not_there_is_not_found(ledger: Ledger, request_: dict[str, Any]) -> None:
    assert ledger.proof(**request_)["error"]["code"] == "NotFound"


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        ({}, ""),
        ({"eventId": "a", "offset": "1"}, ""),
        ({"from": 1}, ""),
        ({"from": 1, "to": 2, "size": 3}, "/size"),
        ({"from": 3, "to": 2}, "/from"),
        ({"from": -1, "to": 2}, "/from"),
        ({"from": 1, "to": True}, "/to"),
        ({"from": 1, "to": "2"}, "/to"),
        ({"eventId": 1}, "/eventId"),
        ({"offset": 1}, "/offset"),
        ({"offset": "01"}, "/offset"),
        ({"offset": "x"}, "/offset"),
        ({"offset": "1", "size": 1.5}, "/size"),
        ({"offset": "1", "size": None}, "/size"),
        ({"offset": "1", "size": 2**53}, "/size"),
        ({"offset": "1", "size": float("inf")}, "/size"),
        ({"offset": "1", "sise": 1}, ""),
    ],
)
def test_what_is_malformed_is_refused(ledger: Ledger, request_: dict[str, Any], path: str) -> None:
    error = ledger.proof(**request_)["error"]

    assert (error["code"], error["path"]) == ("InvalidRequest", path)


def test_before_anything_is_published_nothing_is_found() -> None:
    ledger = Ledger()

    assert ledger.digest()["error"]["code"] == "NotFound"
    assert ledger.proof(offset="1")["error"]["code"] == "NotFound"
    ledger.publish()
    assert ledger.digest()["size"] == 0
    assert ledger.proof(offset="1")["error"]["code"] == "NotFound"
    assert ledger.proof(eventId="unknown")["error"]["code"] == "NotFound"
    assert b64decode(ledger.digest()["checkpoint"].split("\n")[2]) == EMPTY


def test_a_digest_takes_no_fields_and_a_request_is_an_object(ledger: Ledger) -> None:
    assert ledger.digest(size=3)["error"]["path"] == "/size"


def test_a_proof_among_20_000_events_takes_a_few_reads_more_than_among_100(
    large: tuple[Ledger, list[str]], watch: Watch
) -> None:
    ledger, ids = large
    assert len(ids) == 20_000

    def reads(wanted: int, **request: Any) -> int:
        with watch.recording() as calls:
            answer = ledger.proof(**request)
        assert verified(ledger, answer)[2]["eventId"] == ids[wanted]
        return len(calls)

    most_by_offset = most_by_id = 0
    for wanted in (0, 99, 100, 255, 256, 9_999, 19_711, 19_712, 19_999):
        most_by_offset = max(most_by_offset, reads(wanted, offset=str(wanted + 1)))
        most_by_id = max(most_by_id, reads(wanted, eventId=ids[wanted]))
    assert reads(42, offset="43", size=120) <= 6
    # A checkpoint, a bundle, and two tiles for each of two levels; and log2(79 bundles) to find the event by its id.
    assert most_by_offset <= 6
    assert most_by_id <= 6 + 7
    with watch.recording() as calls:
        ledger.proof(**{"from": 120, "to": 20_000})
    assert len(calls) <= 6


def test_a_proof_among_100_events_takes_three_reads(watch: Watch) -> None:
    ledger = Ledger()
    ledger.append(*((str(n), 1) for n in range(40)))
    ledger.append(*((str(n), 2) for n in range(40)))
    last = ledger.append(*((str(n), 3) for n in range(20)))[-1]
    ledger.publish()

    for request in ({"eventId": last["eventId"]}, {"offset": "100"}):
        with watch.recording() as calls:
            answer = ledger.proof(**request)
        assert verified(ledger, answer)[:2] == (99, 100)
        assert len(calls) == 3


def test_ids_rise_over_the_whole_log_whatever_the_writers_clocks(watch: Watch) -> None:
    ledger = Ledger()
    ids = [ledger.append(("a", 1))[0]["eventId"]]
    with clock_moved(-60):
        ids.append(ledger.append(("b", 1))[0]["eventId"])
    with clock_moved(60):
        ids.append(ledger.append(("c", 1))[0]["eventId"])
    ids.append(ledger.append(("d", 1))[0]["eventId"])

    assert ids == sorted(ids)

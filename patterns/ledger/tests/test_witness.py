"""The witness: what c2sp.org/tlog-witness has it answer, and that no fork is ever cosigned."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import suppress
from uuid import uuid4

import metamorphic_log as other
import pytest

from testkit import faults
from testkit.aws_calls import Watch
from testkit.clients import client
from testkit.faults import Fault
from testkit.trials import FAILURES, numbers

from .. import witness
from ..cosigning import Witness
from ..transparency.checkpoints import Checkpoint, encoded
from ..transparency.merkle import EMPTY, leaf_hash
from ..transparency.notes import COSIGNATURE, Note, Signature, VerifierKey
from ..transparency.verifier import signers
from . import harness
from .conftest import TABLES
from .ledgers import Ledger

pytestmark = pytest.mark.usefixtures("watch")

NAME = "witness.example/w1"
FORKED = leaf_hash(b"another history")


class Witnessed:
    """A log of six events, published at sizes 2, 4 and 6, and a witness that knows it."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        for number in range(3):
            self.ledger.append((f"a{number}", 1), (f"b{number}", 1))
            self.ledger.publish()
        self.table = f"{TABLES}{uuid4().hex}"
        client("dynamodb").create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "origin", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "origin", "KeyType": "HASH"}],
        )
        made = client("kms").create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
        [key] = self.ledger.outputs()["log_keys"]
        self.environment = {
            "WITNESS_NAME": NAME,
            "WITNESS_KEY": made["KeyMetadata"]["KeyId"],
            "WITNESS_TABLE": self.table,
            "WITNESSED": json.dumps({key: self.ledger.environment["LOG_KEYS"]}),
        }

    def open(self) -> Witness:
        return witness.from_environment(self.environment)

    def note(self, size: int) -> str:
        return self.ledger.file(f"checkpoints/{size}").decode()

    def signed(self, size: int, root: bytes, origin: str = harness.ORIGIN) -> str:
        """A checkpoint that the log's own key signs."""
        [signer] = harness.signers(self.ledger.environment)
        text = str(Checkpoint(origin, size, root))
        return str(Note(text, [signer.sign(text)]))

    def proof(self, old: int, new: int) -> list[bytes]:
        return [b64decode(one) for one in self.ledger.proof(**{"from": old, "to": new})["consistency"]]

    def add(self, old: int, note: str, proof: Sequence[bytes] = ()) -> tuple[int, str]:
        return self.send(request(old, note, proof))

    def send(self, body: str) -> tuple[int, str]:
        http = {"method": "POST", "path": "/add-checkpoint"}
        given = {"requestContext": {"http": http}, "body": body, "isBase64Encoded": False}
        answered = witness.answer(self.open, given)
        return answered["statusCode"], answered["body"]

    def key(self) -> VerifierKey:
        public = client("kms").get_public_key(KeyId=self.environment["WITNESS_KEY"])["PublicKey"][-32:]
        return VerifierKey(NAME, COSIGNATURE, public)

    def seen(self) -> int | None:
        item = client("dynamodb").get_item(TableName=self.table, Key={"origin": {"S": harness.ORIGIN}}).get("Item")
        return int(item["treeSize"]["N"]) if item else None

    def forget(self) -> None:
        client("dynamodb").delete_item(TableName=self.table, Key={"origin": {"S": harness.ORIGIN}})


def request(old: int, note: str, proof: Sequence[bytes] = ()) -> str:
    lines = "".join(f"{encoded(one)}\n" for one in proof)
    return f"old {old}\n{lines}\n{note}"


@pytest.fixture
def log() -> Witnessed:
    return Witnessed()


def test_a_checkpoint_that_extends_the_last_one_is_cosigned(log: Witnessed) -> None:
    old = 0
    for size in (2, 4, 4, 6):
        status, line = log.add(old, log.note(size), log.proof(old, size))
        assert status == 200
        assert signers(Note.parse(log.note(size) + line), [log.key()]) == [log.key()]
        assert log.seen() == size
        old = size


def test_a_cosigned_checkpoint_is_still_one_for_others(log: Witnessed) -> None:
    ed25519 = Ledger("ECC_NIST_EDWARDS25519")
    ed25519.publish()
    [key] = ed25519.outputs()["log_keys"]
    log.environment["WITNESSED"] = json.dumps({key: ed25519.environment["LOG_KEYS"]})
    note = ed25519.file("checkpoint").decode()
    status, line = log.add(0, note)

    assert status == 200
    assert other.checkpoint_verify(note + line, [key]).size == 0


def test_a_fork_that_the_right_key_signed_is_refused(log: Witnessed) -> None:
    log.add(0, log.note(4))

    assert log.add(4, log.signed(6, FORKED), log.proof(4, 6))[0] == 422
    assert log.add(4, log.signed(6, FORKED))[0] == 422
    assert log.add(4, log.signed(4, FORKED)) == (409, "4\n")
    assert log.seen() == 4


def test_an_older_checkpoint_is_refused_and_the_last_size_told(log: Witnessed) -> None:
    log.add(0, log.note(4))

    assert log.add(0, log.note(6)) == (409, "4\n")
    assert log.add(2, log.note(4), log.proof(2, 4)) == (409, "4\n")
    assert log.add(0, log.note(2)) == (409, "4\n")
    assert log.add(4, log.note(2))[0] == 400


def test_the_content_type_of_a_conflict_is_the_one_of_the_specification(log: Witnessed) -> None:
    log.add(0, log.note(4))
    http = {"method": "POST", "path": "/some/prefix/add-checkpoint"}
    body = b64encode(request(0, log.note(6)).encode()).decode()
    answered = witness.answer(log.open, {"requestContext": {"http": http}, "body": body, "isBase64Encoded": True})

    assert answered == {"statusCode": 409, "headers": {"content-type": "text/x.tlog.size"}, "body": "4\n"}


def test_an_empty_log_can_be_cosigned(log: Witnessed) -> None:
    assert log.add(0, log.signed(0, EMPTY))[0] == 200
    assert log.add(0, log.signed(0, FORKED))[0] == 422
    assert log.add(0, log.note(2), [FORKED])[0] == 422
    assert log.add(0, log.note(2))[0] == 200
    assert log.seen() == 2


def test_a_checkpoint_of_another_log_or_key_is_refused(log: Witnessed) -> None:
    stranger = Witnessed()
    assert log.add(0, stranger.note(2))[0] == 403
    assert log.add(0, log.signed(2, EMPTY, origin="example.com/other"))[0] == 404
    parsed, made = Note.parse(log.note(2)), Note.parse(stranger.note(2)).signatures[0]
    for forged in (made.signature, bytes(10_000)):
        signature = Signature(harness.ORIGIN, parsed.signatures[0].key_id, forged)
        assert log.add(0, str(Note(parsed.text, [signature])))[0] == 403
    assert log.seen() is None


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "old 0",
        "old 0\n\n",
        "old -1\n\n{note}",
        "old 00\n\n{note}",
        "old 0\n{note}",
        "old 0\nnot base64\n\n{note}",
        "old 0\n" + f"{encoded(EMPTY)}\n" * 64 + "\n{note}",
        "old 0\n\n{unsigned}",
        "old 0\n\nno checkpoint\n\n{signature}",
    ],
)
def test_what_is_malformed_is_refused(log: Witnessed, malformed: str) -> None:
    note = log.note(2)
    unsigned, signature = note.split("\n\n")
    body = malformed.replace("{note}", note).replace("{unsigned}", unsigned).replace("{signature}", signature)

    assert log.send(body)[0] == 400
    assert log.seen() is None


def test_a_checkpoint_too_long_for_a_signature_is_refused(log: Witnessed) -> None:
    text = str(Checkpoint(harness.ORIGIN, 2, EMPTY)) + "x" * 4_096 + "\n"
    assert log.add(0, str(Note(text, [Signature(harness.ORIGIN, b"1234", b"5")])))[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/add-checkpoint", 405), ("POST", "/", 404), ("POST", "/other", 404)]
)
def test_there_is_nothing_else(log: Witnessed, method: str, path: str, status: int) -> None:
    given = {"requestContext": {"http": {"method": method, "path": path}}}
    assert witness.answer(log.open, given)["statusCode"] == status
    assert witness.answer(log.open, {})["statusCode"] == 404


def test_a_body_that_is_no_text_is_refused(log: Witnessed) -> None:
    http = {"method": "POST", "path": "/add-checkpoint"}
    given = {"requestContext": {"http": http}, "body": b64encode(b"\xff").decode(), "isBase64Encoded": True}
    assert witness.answer(log.open, given)["statusCode"] == 400


def test_the_key_in_kms_has_to_be_the_log_s_own(log: Witnessed) -> None:
    [key] = log.ledger.outputs()["log_keys"]
    log.environment["WITNESSED"] = json.dumps({key: log.environment["WITNESS_KEY"]})
    with pytest.raises(witness.WrongKey):
        log.open()


def test_of_two_checkpoints_at_once_one_is_cosigned(log: Witnessed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both extend the empty log, and one of them is a fork."""
    seen = Witness._seen

    def and_another_comes_first(self: Witness, origin: str) -> Checkpoint:
        found = seen(self, origin)
        monkeypatch.undo()
        assert log.add(0, log.note(4))[0] == 200
        return found

    monkeypatch.setattr(Witness, "_seen", and_another_comes_first)
    assert log.add(0, log.signed(4, FORKED)) == (409, "4\n")


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_a_witness_that_fails_at_any_call_cosigns_no_fork(watch: Watch, kind: type[Fault]) -> None:
    log = Witnessed()
    for number in numbers():
        log.forget()
        fault, opened = kind(number), log.open()
        with watch.recording(fault), suppress(*FAILURES):
            opened.add_checkpoint(request(0, log.note(4)))
        seen = log.seen() or 0
        assert seen in (0, 4)
        assert log.add(seen, log.note(4))[0] == 200
        assert log.add(4, log.signed(4, FORKED))[0] == 409
        if not fault.struck:
            break
    assert number > 2

"""What a ledger publishes is accepted by a transparency log that others wrote, metamorphic-log, and a change is not."""

from __future__ import annotations

from base64 import b64decode

import metamorphic_log as other
import pytest

from testkit.aws_calls import Watch

from ..transparency.checkpoints import Proof
from ..transparency.merkle import leaf_hash
from .ledgers import Ledger

SIZES = (1, 2, 3, 7, 8, 39, 80)


@pytest.fixture(scope="module")
def ledger(watch: Watch) -> Ledger:
    """Signed with both kinds of keys, as public witnesses demand, and published at each of the sizes."""
    ledger, size = Ledger("ECC_NIST_EDWARDS25519", "ECC_NIST_P256"), 0
    for following in SIZES:
        for start in range(size, following, 40):
            ledger.append(*((f"a{n}", 1) for n in range(start, min(start + 40, following))))
        size = following
        assert ledger.publish() == size
    return ledger


@pytest.fixture(scope="module")
def key(ledger: Ledger) -> str:
    """The Ed25519 one: it knows no signatures of P-256, and has to ignore them."""
    return str(ledger.outputs()["log_keys"][0])


@pytest.mark.parametrize("size", SIZES)
def test_a_checkpoint_is_accepted(ledger: Ledger, key: str, size: int) -> None:
    head = other.checkpoint_verify(ledger.file(f"checkpoints/{size}").decode(), [key])

    assert (head.origin, head.size) == (ledger.environment["LOG_ORIGIN"], size)


@pytest.mark.parametrize("size", SIZES)
def test_an_inclusion_is_accepted(ledger: Ledger, key: str, size: int) -> None:
    for position in {1, size // 2 + 1, size}:
        answer = ledger.proof(offset=str(position), size=size)
        proof, leaf = Proof.parse(answer["proof"]), leaf_hash(b64decode(answer["entry"]))
        hashes = list(proof.hashes)
        other.checkpoint_verify_inclusion(proof.checkpoint, [key], proof.index, leaf, hashes)
        with pytest.raises(other.VerifyError):
            other.checkpoint_verify_inclusion(proof.checkpoint, [key], proof.index, leaf[::-1], hashes)


@pytest.mark.parametrize("old", SIZES)
def test_a_consistency_is_accepted(ledger: Ledger, key: str, old: int) -> None:
    def note(size: int) -> str:
        return ledger.file(f"checkpoints/{size}").decode()

    for new in (size for size in SIZES if size >= old):
        proof = [b64decode(one) for one in ledger.proof(**{"from": old, "to": new})["consistency"]]
        other.checkpoint_verify_consistency(note(old), note(new), [key], proof)
        if proof:
            with pytest.raises(other.VerifyError):
                other.checkpoint_verify_consistency(note(old), note(new), [key], [*proof[1:], proof[0][::-1]])

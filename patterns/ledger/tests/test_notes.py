"""Signed notes and proofs as text: what is accepted, and that everything else is refused with a reason."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from ..transparency.checkpoints import Checkpoint, Proof
from ..transparency.merkle import InvalidProof, inclusion_proof, leaf_hash, node_hash
from ..transparency.notes import (
    COSIGNATURE,
    ECDSA_P256,
    ED25519,
    InvalidKey,
    InvalidNote,
    Note,
    Signature,
    VerifierKey,
    cosigned,
)
from ..transparency.verifier import open_checkpoint, signers, trusted_key, verify_proof

NAME = "example.com/log"
ED = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
EC = generate_private_key(SECP256R1())
ED_KEY = VerifierKey(NAME, ED25519, ED.public_key().public_bytes_raw())
EC_KEY = VerifierKey(NAME, ECDSA_P256, EC.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
WITNESS = VerifierKey("witness.example", COSIGNATURE, ED.public_key().public_bytes_raw())
KEYS = [ED_KEY, EC_KEY, WITNESS]
TEXT = str(Checkpoint(NAME, 2, node_hash(leaf_hash(b"a"), leaf_hash(b"b"))))


def signature(key: VerifierKey, text: str = TEXT) -> Signature:
    match key.type:
        case 0x01:
            made = ED.sign(text.encode())
        case 0x02:
            made = EC.sign(text.encode(), ECDSA(SHA256()))
        case _:
            made = (1_700_000_000).to_bytes(8, "big") + ED.sign(cosigned(text, 1_700_000_000))
    return Signature(key.name, key.id, made)


def note(*keys: VerifierKey, text: str = TEXT) -> str:
    return str(Note(text, [signature(key, text) for key in keys]))


@pytest.mark.parametrize("key", KEYS, ids=["Ed25519", "P-256", "cosignature"])
def test_a_signature_of_each_type_is_verified(key: VerifierKey) -> None:
    assert signers(Note.parse(note(key)), [key]) == [key]
    with pytest.raises(InvalidNote, match="does not fit the text"):
        signers(Note.parse(note(key).replace("\n2\n", "\n3\n")), [key])


def test_a_note_may_have_several_signatures_and_unknown_ones_are_ignored() -> None:
    signed = Note.parse(note(EC_KEY, ED_KEY, WITNESS))

    assert signers(signed, KEYS) == [EC_KEY, ED_KEY, WITNESS]
    assert signers(signed, [ED_KEY]) == [ED_KEY]
    with pytest.raises(InvalidNote, match="not signed by any known key"):
        signers(signed, [])
    other = VerifierKey("example.com/other", ED25519, ED_KEY.public)
    with pytest.raises(InvalidNote, match=r"not signed by any known key \(example.com/other\)"):
        signers(signed, [other])


def test_one_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    wrong = Signature(EC_KEY.name, EC_KEY.id, signature(EC_KEY, "another text\n").signature)
    with pytest.raises(InvalidNote, match="does not fit the text"):
        signers(Note(TEXT, [signature(ED_KEY), wrong]), KEYS)


@pytest.mark.parametrize("key", KEYS, ids=["Ed25519", "P-256", "cosignature"])
def test_a_verifier_key_reads_as_it_is_written(key: VerifierKey) -> None:
    assert trusted_key(str(key)) == key
    assert trusted_key(f"{key}\n") == key


def test_the_ids_of_keys_are_those_of_the_specification() -> None:
    public = ED_KEY.public
    assert ED_KEY.id == sha256(NAME.encode() + b"\n\x01" + public).digest()[:4]
    assert WITNESS.id == sha256(b"witness.example\n\x04" + public).digest()[:4]
    assert EC_KEY.id == sha256(EC_KEY.public).digest()[:4]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "NAME\\+ID\\+BASE64"),
        ("name", "NAME\\+ID\\+BASE64"),
        ("+00000000+AQ==", "NAME\\+ID\\+BASE64"),
        ("name+00000000+!!!!", "NAME\\+ID\\+BASE64"),
        (str(ED_KEY).replace(ED_KEY.id.hex(), "00000000"), "the id in the verifier key of example.com/log is 00000000"),
        (str(VerifierKey("name", ED25519, b"short")), "no public key of a known type"),
        (str(VerifierKey("name", ECDSA_P256, b"not DER")), "no public key of a known type"),
        (str(VerifierKey("name", 0x06, bytes(1312))), "type 0x06 is not"),
        (
            str(
                VerifierKey(
                    "name",
                    ECDSA_P256,
                    generate_private_key(SECP384R1())
                    .public_key()
                    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
                )
            ),
            "not one of the curve P-256",
        ),
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InvalidKey, match=complaint):
        trusted_key(text)


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        TEXT,
        TEXT + "\n",
        note(ED_KEY)[:-1],
        note(ED_KEY) + "\n",
        note(ED_KEY).replace("\u2014 ", "- "),
        note(ED_KEY).replace("\u2014 example.com/log ", "\u2014 "),
        note(ED_KEY).replace("\u2014 example.com/log", "\u2014 example.com/log+1"),
        note(ED_KEY).removesuffix("=\n") + "\n",
        note(ED_KEY).replace("\n2\n", "\n2\r\n"),
        TEXT + f"\n\u2014 {NAME} {b64encode(ED_KEY.id).decode()}\n",
        "x" * 1_000_001 + "\n\n" + str(signature(ED_KEY)),
    ],
)
def test_what_is_no_note_is_refused(malformed: str) -> None:
    with pytest.raises(InvalidNote):
        Note.parse(malformed)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (lambda text: text.replace("\n2\n", "\n02\n"), "not a checkpoint"),
        (lambda text: text.replace("\n2\n", "\n-2\n"), "not a checkpoint"),
        (lambda text: text.replace("\n2\n", "\n\n2\n"), "not a checkpoint"),
        (lambda text: text.replace("=\n", "\n"), "not a checkpoint"),
        (lambda text: text.replace(NAME, "example.com/another"), "a checkpoint of example.com/another, not of"),
    ],
)
def test_a_signed_text_that_is_no_checkpoint_of_this_log_is_refused(
    broken: Callable[[str], str], complaint: str
) -> None:
    with pytest.raises(InvalidNote, match=complaint):
        open_checkpoint(note(ED_KEY, text=broken(TEXT)), NAME, [ED_KEY])


def test_extension_lines_are_accepted_and_signed() -> None:
    opened = open_checkpoint(note(ED_KEY, text=TEXT + "an extension\n"), NAME, [ED_KEY])

    assert opened.size == 2


def test_a_proof_reads_as_it_is_written_and_proves_its_entry_only() -> None:
    hashes = inclusion_proof(1, 2, lambda start, _end: leaf_hash([b"a", b"b"][start]))
    proof = Proof(1, hashes, note(ED_KEY, WITNESS))

    assert Proof.parse(str(proof)) == proof
    assert verify_proof(str(proof), b"b", NAME, [ED_KEY]) == (1, Checkpoint.parse(TEXT))
    with pytest.raises(InvalidProof):
        verify_proof(str(proof), b"a", NAME, [ED_KEY])
    with pytest.raises(InvalidProof):
        verify_proof(str(Proof(0, hashes, proof.checkpoint)), b"b", NAME, [ED_KEY])
    assert Proof.parse(str(proof).replace("index", "extra aGVsbG8=\nindex")) == proof


@given(st.data())
def test_a_proof_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    text = str(Proof(1, [leaf_hash(b"a")], note(ED_KEY)))
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda character: character != text[place]))

    with pytest.raises((InvalidProof, InvalidNote)):
        verify_proof(text[:place] + other + text[place + 1 :], b"b", NAME, [ED_KEY])

"""The published log: what a publisher writes and signs, stopped at each of its calls, and what it refuses to sign."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import uuid4

import pytest

from lambdas.eventstore import aws
from testkit import faults
from testkit.aws_calls import Watch
from testkit.clients import client
from testkit.faults import Fault
from testkit.trials import FAILURES, numbers

from ..bucket import Altered, Bucket, Missing, kept_path
from ..publisher import BATCH, Publisher
from ..signers import Signer
from ..transparency.checkpoints import Checkpoint
from ..transparency.merkle import EMPTY, leaf_hash
from ..transparency.notes import Note, Signature
from ..transparency.tiles import Tree, bundle, entries_of, tiles_between
from ..transparency.verifier import open_checkpoint, signers

ORIGIN = "example.com/ledger"
SPECS = {"P-256": ["ECC_NIST_P256"], "both": ["ECC_NIST_EDWARDS25519", "ECC_NIST_P256"]}


pytestmark = pytest.mark.usefixtures("watch")


class Log:
    """A log of entries, a bucket for it, and keys."""

    def __init__(self, specs: Sequence[str] = SPECS["P-256"]) -> None:
        self.entries: list[bytes] = []
        self.bucket = f"tiles-{uuid4().hex}"
        client("s3").create_bucket(Bucket=self.bucket)
        kms = client("kms")
        self.keys = [kms.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"] for spec in specs]

    def grow(self, count: int) -> None:
        self.entries += [f"entry {len(self.entries) + n}".encode() for n in range(count)]

    def publisher(self) -> Publisher:
        return Publisher(self.open_bucket(), self.read, ORIGIN, self.signers())

    def read(self, after: int, limit: int) -> list[bytes]:
        return self.entries[after : after + limit]

    def signers(self) -> list[Signer]:
        return [Signer(aws.client("kms"), key, ORIGIN) for key in self.keys]

    def open_bucket(self) -> Bucket:
        return Bucket(aws.client("s3"), self.bucket)

    def files(self) -> dict[str, bytes]:
        listed = client("s3").list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return {file["Key"]: self.open_bucket().get(file["Key"]) for file in listed}

    def checkpoint(self) -> Checkpoint:
        note = self.files()["checkpoint"].decode()
        return open_checkpoint(note, ORIGIN, [signer.verifier_key for signer in self.signers()])

    def assert_sound(self) -> Checkpoint:
        """A signed checkpoint; over it the tree of the log's first entries; and every file that such a tree has."""
        files, checkpoint = self.files(), self.checkpoint()
        tree = Tree(checkpoint.size, lambda tile: files[tile.path])
        assert tree.root() == checkpoint.root
        for tile in tiles_between(0, checkpoint.size, None):
            start = tile.number * 256
            assert entries_of(tile, files[tile.path]) == self.entries[start : start + tile.width]
        for index in range(0, checkpoint.size, 97):
            assert tree.leaf(index) == leaf_hash(self.entries[index])
        for level in (0, 1, 2):
            for tile in tiles_between(0, checkpoint.size, level):
                assert tile.path in files
        return checkpoint


def test_an_empty_log_has_a_signed_checkpoint() -> None:
    log = Log()

    assert log.publisher().publish() == 0
    assert log.assert_sound() == Checkpoint(ORIGIN, 0, EMPTY)


@pytest.mark.parametrize("specs", SPECS.values(), ids=SPECS)
def test_every_key_signs(specs: list[str]) -> None:
    log = Log(specs)
    log.grow(3)
    log.publisher().publish()

    keys = [signer.verifier_key for signer in log.signers()]
    assert signers(Note.parse(log.files()["checkpoint"].decode()), keys) == keys
    assert [key.type for key in keys] == [{"ECC_NIST_P256": 2, "ECC_NIST_EDWARDS25519": 1}[spec] for spec in specs]


@pytest.mark.parametrize("steps", [[1], [1, 1, 1], [255, 1, 1], [256, 256], [300, 0, 500], [BATCH - 1, 2], [BATCH + 5]])
def test_a_log_is_published_as_it_grows_and_no_file_ever_changes(steps: list[int]) -> None:
    log = Log()
    before: dict[str, bytes] = {}
    for step in steps:
        log.grow(step)
        assert log.publisher().publish() == len(log.entries)
        assert log.assert_sound().size == len(log.entries)
        files = log.files()
        assert all(files[path] == content for path, content in before.items() if path != "checkpoint")
        assert files[kept_path(len(log.entries))] == files["checkpoint"]
        before = files


def test_twenty_thousand_entries_are_published_in_one_run() -> None:
    log = Log()
    log.grow(20_000)

    assert log.publisher().publish() == 20_000
    assert log.assert_sound().size == 20_000


def test_a_publisher_without_time_stops_between_checkpoints_and_the_next_goes_on() -> None:
    log = Log()
    log.grow(2 * BATCH + 1)
    turns = iter([True, False])

    assert log.publisher().publish(lambda: next(turns)) == BATCH
    assert log.assert_sound().size == BATCH
    assert log.publisher().publish() == 2 * BATCH + 1


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_a_publisher_that_fails_at_any_call_has_signed_nothing_false(watch: Watch, kind: type[Fault]) -> None:
    for number in numbers():
        log = Log()
        log.grow(250)
        log.publisher().publish()
        before = log.files()
        log.grow(10)
        fault = kind(number)
        with watch.recording(fault), suppress(*FAILURES):
            log.publisher().publish()
        assert log.assert_sound().size in (250, 260)
        assert log.publisher().publish() == 260
        log.assert_sound()
        after = log.files()
        assert all(after[path] == content for path, content in before.items() if path != "checkpoint")
        if not fault.struck:
            break
    assert number > 5


def test_of_two_publishers_at_once_both_publish_one_log() -> None:
    log = Log()
    log.grow(100)

    def in_between(after: int, limit: int) -> Sequence[bytes]:
        found = log.read(after, limit)
        if len(log.entries) == 100:
            log.grow(200)
            log.publisher().publish()
        return found

    assert Publisher(log.open_bucket(), in_between, ORIGIN, log.signers()).publish() == 300
    assert log.assert_sound().size == 300


@pytest.mark.parametrize("path", ["tile/0/000.p/100", "tile/entries/000.p/100"])
def test_nothing_is_signed_on_a_file_that_was_replaced(path: str) -> None:
    log = Log()
    log.grow(100)
    log.publisher().publish()
    content = log.files()[path]
    client("s3").put_object(Bucket=log.bucket, Key=path, Body=content[:50] + b"!" + content[51:])
    log.grow(50)

    with pytest.raises(Altered):
        log.publisher().publish()
    assert log.checkpoint().size == 100


def test_nothing_is_signed_on_a_higher_tile_that_was_replaced() -> None:
    log = Log()
    log.grow(600)
    log.publisher().publish()
    path = "tile/1/000.p/2"
    client("s3").put_object(Bucket=log.bucket, Key=path, Body=bytes(32) + log.files()[path][32:])
    log.grow(300)

    with pytest.raises(Altered, match="the tiles are not those that were signed at size 600"):
        log.publisher().publish()
    assert log.checkpoint().size == 600


def test_nothing_is_signed_on_entries_that_were_replaced_together_with_their_hashes() -> None:
    log = Log()
    log.grow(100)
    log.publisher().publish()
    forged = [b"forged", *log.entries[1:]]
    for path, content in (
        ("tile/entries/000.p/100", bundle(forged)),
        ("tile/0/000.p/100", b"".join(map(leaf_hash, forged))),
    ):
        client("s3").put_object(Bucket=log.bucket, Key=path, Body=content)
    log.grow(50)

    with pytest.raises(Altered, match="the tiles are not those that were signed at size 100"):
        log.publisher().publish()
    assert log.checkpoint().size == 100


def test_nothing_is_signed_on_a_log_whose_last_entries_changed() -> None:
    log = Log()
    log.grow(600)
    log.publisher().publish()
    client("s3").delete_object(Bucket=log.bucket, Key="checkpoint")
    log.entries[555] = b"another entry"

    with pytest.raises(Altered, match=r"tile/.* is published already, and with other content"):
        log.publisher().publish()


def forged(note: str) -> str:
    return note.replace("\n100\n", "\n90\n")


def of_another_log(note: str) -> str:
    return note.replace(ORIGIN, "example.com/other")


def of_another_key(note: str) -> str:
    stranger = Log()
    return str(Note(Note.parse(note).text, [signer.sign(Note.parse(note).text) for signer in stranger.signers()]))


def under_the_id_of_the_right_key(note: str) -> str:
    parsed = Note.parse(note)
    [made] = Note.parse(of_another_key(note)).signatures
    return str(Note(parsed.text, [Signature(ORIGIN, parsed.signatures[0].key_id, made.signature)]))


@pytest.mark.parametrize("change", [forged, of_another_log, of_another_key, under_the_id_of_the_right_key])
def test_nothing_is_signed_on_a_checkpoint_that_the_log_has_not_signed(change: Callable[[str], str]) -> None:
    log = Log()
    log.grow(100)
    log.publisher().publish()
    note, version = log.open_bucket().checkpoint()
    assert log.open_bucket().replace_checkpoint(change(note), version)
    log.grow(1)

    with pytest.raises(Altered, match="not one that this log has signed"):
        log.publisher().publish()


def test_an_older_checkpoint_in_the_place_of_the_last_leads_to_the_same_tree() -> None:
    log = Log()
    log.grow(100)
    log.publisher().publish()
    log.grow(200)
    log.publisher().publish()
    last, files = log.checkpoint(), log.files()
    _, version = log.open_bucket().checkpoint()
    log.open_bucket().replace_checkpoint(files[kept_path(100)].decode(), version)

    assert log.publisher().publish() == 300
    assert log.checkpoint() == last


def test_a_checkpoint_is_replaced_only_by_who_has_seen_the_last_one() -> None:
    bucket = Log().open_bucket()

    assert bucket.checkpoint() == ("", "")
    assert bucket.replace_checkpoint("first", "")
    assert not bucket.replace_checkpoint("second", "")
    _, version = bucket.checkpoint()
    assert bucket.replace_checkpoint("second", version)
    assert not bucket.replace_checkpoint("third", version)
    assert bucket.checkpoint()[0] == "second"


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(Missing, match="there is no tile/0/000"):
        Log().open_bucket().get("tile/0/000")

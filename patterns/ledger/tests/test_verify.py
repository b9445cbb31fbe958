"""A change of history behind the store's back, in any place, is found, and the first event is named."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from testkit.clients import client
from testkit.examples import new_id

from ..bucket import kept_path
from ..log import LedgerLog
from ..transparency.checkpoints import Checkpoint
from ..transparency.entries import entry_of
from ..transparency.merkle import leaf_hash, node_hash
from ..transparency.notes import Note
from ..transparency.tiles import bundle
from . import harness
from .ledgers import Ledger, entries_of

pytestmark = pytest.mark.usefixtures("watch")

ANN, JOSH = "ann", "josh"


@pytest.fixture
def ledger() -> Ledger:
    """Five events in four pages, of which four are published, under two checkpoints."""
    ledger = Ledger()
    ledger.append((ANN, 1), amount=1)
    ledger.append((JOSH, 1), (ANN, 2), amount=2)
    ledger.publish()
    ledger.append((ANN, 3), text="x" * 20_000, amount=3)
    ledger.publish()
    ledger.append((JOSH, 2), amount=5)
    return ledger


def changed_payload(ledger: Ledger) -> None:
    ledger.put({**ledger.item(ANN, 2), "metadata": {"M": {"amount": {"N": "2.5"}}}})


def changed_type(ledger: Ledger) -> None:
    ledger.put({**ledger.item(ANN, 2), "eventType": {"S": "ANOTHER"}})


def changed_salt(ledger: Ledger) -> None:
    ledger.put({**ledger.item(ANN, 2), "salt": ledger.item(ANN, 1)["salt"]})


def removed(ledger: Ledger) -> None:
    ledger.delete(ANN, 2)


def removed_and_not_published_yet(ledger: Ledger) -> None:
    ledger.delete(JOSH, 2)


def inserted(ledger: Ledger) -> None:
    ledger.put({**ledger.item(JOSH, 2), "aggregateId": {"S": "forged"}, "aggregateVersion": {"N": "1"}})


def two_swapped(ledger: Ledger) -> None:
    one, other = ledger.item(ANN, 1), ledger.item(JOSH, 1)
    keys = ("aggregateId", "aggregateVersion")
    ledger.put({**other, **{key: one[key] for key in keys}})
    ledger.put({**one, **{key: other[key] for key in keys}})


def at_another_position(ledger: Ledger) -> None:
    ledger.put({**ledger.item(ANN, 2), "logPosition": {"N": "4"}})


def payload_wiped(ledger: Ledger) -> None:
    ledger.put({name: value for name, value in ledger.item(ANN, 2).items() if name not in ("metadata", "salt")})


def erased_by_hand_in_the_table(ledger: Ledger) -> None:
    item = {name: value for name, value in ledger.item(ANN, 2).items() if name != "salt"}
    [entry] = [entry for entry in entries_of(ledger.pages()[1]) if entry["aggregateId"] == ANN]
    commitment = json.loads(entry_of(entry))["commitment"]
    ledger.put({**item, "metadata": {"M": {"erased": {"S": commitment}}}})


def log_page_changed(ledger: Ledger) -> None:
    page = ledger.pages()[1]
    josh, ann = entries_of(page)
    ledger.rewrite_page(page, [josh, {**ann, "metadata": {"amount": 2.5}}])


def log_page_swapped(ledger: Ledger) -> None:
    page = ledger.pages()[1]
    ledger.rewrite_page(page, entries_of(page)[::-1])


def log_page_removed(ledger: Ledger) -> None:
    ledger.delete_page(ledger.pages()[1])


def last_log_page_removed(ledger: Ledger) -> None:
    ledger.delete_page(ledger.pages()[3])


def rewritten_in_both_tables(ledger: Ledger) -> None:
    log_page_changed(ledger)
    changed_payload(ledger)


CHANGES: dict[Callable[[Ledger], None], str] = {
    changed_payload: "changed: version 2 of aggregate 'ann', position 3: the table of events has a payload that",
    changed_type: "changed: version 2 of aggregate 'ann', position 3: the table of events has another eventType",
    changed_salt: "changed: version 2 of aggregate 'ann', position 3: the table of events has a payload that",
    removed: "missing: version 2 of aggregate 'ann', position 3: the table of events does not have it",
    removed_and_not_published_yet: "missing: version 2 of aggregate 'josh', position 5: the table of events does not",
    inserted: "extra: version 1 of aggregate 'forged': it is in the table of events, and in no log",
    two_swapped: "moved: version 1 of aggregate 'ann', position 1: the table of events has the event of position 2",
    at_another_position: "moved: version 2 of aggregate 'ann', position 3: the table of events has it at position 4",
    payload_wiped: "erased: version 2 of aggregate 'ann', position 3: the table of events has neither its payload nor",
    erased_by_hand_in_the_table: "erased: version 2 of aggregate 'ann', position 3: the table of events has lost its",
    log_page_changed: "changed: version 2 of aggregate 'ann', position 3: the log has a payload that is not",
    log_page_swapped: "moved: version 1 of aggregate 'josh', position 2: the log has the event of position 3 in its",
    log_page_removed: "missing: version 1 of aggregate 'josh', position 2: the log does not have it: the log has no",
    last_log_page_removed: "extra: version 2 of aggregate 'josh': it is in the table of events, and in no log",
    rewritten_in_both_tables: "changed: version 2 of aggregate 'ann', position 3: the log has a payload that is not",
}


def test_nothing_is_found_where_nothing_was_changed(ledger: Ledger) -> None:
    verification = harness.verification(ledger.environment)

    assert list(verification.differences()) == []
    assert verification.summary().startswith("5 events, all as they were stored; 4 of them are in the published log")


def test_nothing_is_found_in_an_empty_store() -> None:
    assert Ledger().differences() == []


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_of_the_tables_is_found_and_located(
    ledger: Ledger, change: Callable[[Ledger], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patterns.ledger.commands.verify._SETTLE_SECONDS", 0.1)
    change(ledger)

    assert str(ledger.differences()[0]).startswith(CHANGES[change])


def test_an_event_on_its_way_into_the_table_is_waited_for(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its writer has put the page, and not the item yet."""
    item = ledger.item(JOSH, 2)
    ledger.delete(JOSH, 2)
    monkeypatch.setattr("patterns.ledger.commands.verify.time.sleep", lambda seconds: ledger.put(item))

    assert ledger.differences() == []


def test_events_that_are_stored_while_it_reads_are_no_difference(ledger: Ledger) -> None:
    verification = harness.verification(ledger.environment)
    differences = verification.differences()
    scan = verification._scan

    def meanwhile() -> object:
        yield from scan()
        ledger.append((new_id(), 1))

    verification._scan = meanwhile  # type: ignore[method-assign, assignment]

    assert list(differences) == []


def an_entry_tile_replaced(ledger: Ledger) -> None:
    ledger.replace_file(ENTRIES, ledger.file(ENTRIES).replace(b'"aggregateVersion":2', b'"aggregateVersion":9'))


def a_hash_tile_replaced(ledger: Ledger) -> None:
    ledger.replace_file(HASHES, bytes(32) + ledger.file(HASHES)[32:])


def a_tile_deleted(ledger: Ledger) -> None:
    ledger.delete_file(HASHES)


def an_old_checkpoint_put_back(ledger: Ledger) -> None:
    ledger.replace_file("checkpoint", ledger.file(kept_path(3)))


def a_checkpoint_that_nobody_signed(ledger: Ledger) -> None:
    ledger.replace_file("checkpoint", ledger.file("checkpoint").replace(b"\n4\n", b"\n3\n"))


def the_checkpoint_deleted(ledger: Ledger) -> None:
    ledger.delete_file("checkpoint")


def a_checkpoint_of_another_log(ledger: Ledger) -> None:
    other = Ledger()
    other.publish()
    ledger.replace_file("checkpoint", other.file("checkpoint"))


def a_fork_signed_with_the_right_key(ledger: Ledger) -> None:
    [signer] = harness.signers(ledger.environment)
    text = str(Checkpoint(harness.ORIGIN, 4, leaf_hash(b"another history")))
    ledger.replace_file(kept_path(4), str(Note(text, [signer.sign(text)])).encode())


def rewritten_from_the_middle_with_hashes_and_signature(ledger: Ledger) -> None:
    """By somebody who has every right but one: to remove versions of locked files."""
    page = ledger.pages()[1]
    josh, ann = entries_of(page)
    forged = {**ann, "metadata": {"amount": 2.5}}
    ledger.rewrite_page(page, [josh, forged])
    ledger.put({**ledger.item(ANN, 2), "metadata": {"M": {"amount": {"N": "2.5"}}}})
    entries = LedgerLog(client("dynamodb"), ledger.environment["LOG_TABLE"]).entries(0, 4)
    hashes = [leaf_hash(entry) for entry in entries]
    root = node_hash(node_hash(hashes[0], hashes[1]), node_hash(hashes[2], hashes[3]))
    [signer] = harness.signers(ledger.environment)
    text = str(Checkpoint(harness.ORIGIN, 4, root))
    for path in ("checkpoint", kept_path(4)):
        ledger.replace_file(path, str(Note(text, [signer.sign(text)])).encode())
    ledger.replace_file(ENTRIES, bundle(entries))
    ledger.replace_file(HASHES, b"".join(hashes))


ENTRIES, HASHES = "tile/entries/000.p/4", "tile/0/000.p/4"
FORGERIES: dict[Callable[[Ledger], None], str] = {
    an_entry_tile_replaced: f"published: {ENTRIES} was replaced after it was published",
    a_hash_tile_replaced: f"published: {HASHES} was replaced after it was published",
    a_tile_deleted: f"published: {HASHES} was deleted after it was published",
    an_old_checkpoint_put_back: "published: the checkpoint has size 3, and one of size 4 was in its place before",
    a_checkpoint_that_nobody_signed: "published: the checkpoint is not valid: the signature of example.com/ledger",
    the_checkpoint_deleted: "published: the checkpoint is not valid: checkpoint was deleted",
    a_checkpoint_of_another_log: "published: the checkpoint is not valid: it is not signed by any known key",
    a_fork_signed_with_the_right_key: f"published: {kept_path(4)} was replaced after it was published",
    rewritten_from_the_middle_with_hashes_and_signature: "changed: version 2 of aggregate 'ann', position 3: the log",
}


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_change_of_what_is_published_is_found(ledger: Ledger, forge: Callable[[Ledger], None]) -> None:
    forge(ledger)

    assert str(ledger.differences()[0]).startswith(FORGERIES[forge])


def test_a_fork_is_found_even_where_no_file_was_replaced(ledger: Ledger) -> None:
    """As after the versions of the files have lost their lock."""
    [signer] = harness.signers(ledger.environment)
    text = str(Checkpoint(harness.ORIGIN, 2, leaf_hash(b"another history")))
    ledger.replace_file(kept_path(2), str(Note(text, [signer.sign(text)])).encode())

    [difference] = ledger.differences()
    assert str(difference).startswith("published: the entries are not those that were signed at size 2: the first that")


def test_tiles_without_their_first_versions_are_held_to_the_checkpoints(ledger: Ledger) -> None:
    """Somebody who removed them, as the mode of Object Lock may allow, does not have the hash that was signed."""
    forged = ledger.file(ENTRIES).replace(b'"aggregateVersion":2', b'"aggregateVersion":9')
    ledger.unlock_and_replace(ENTRIES, forged)

    found = [difference.what for difference in ledger.differences()]
    assert [what for what in found if "the first that differs is between positions 1 and 3" in what]

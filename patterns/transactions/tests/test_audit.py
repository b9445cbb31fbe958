"""Events and entries of the log that do not agree: what the audit says, and what the repair makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore.audits import Difference
from testkit import clients
from testkit.aws_calls import Watch
from testkit.examples import Event, event
from testkit.faults import AnswerLostOnce, Crash, CrashAfter, CrashBefore, Fault
from testkit.harness import Environment, Harness, HarnessFor
from testkit.schedules import Scene
from tools.discovery import containing

from .. import audit as audited

PATTERN = containing(__file__)
LARGE = "x" * 5000


class Store(Scene):
    """A store whose tables can be changed behind its back."""

    @property
    def client(self) -> Any:
        return clients.client("dynamodb")

    def audit(self, settle_seconds: float = 0) -> str:
        return audited.audit(self.environment, lambda line: None, settle_seconds)

    def repair(self, *, restored: bool = False) -> None:
        audited.repair(self.environment, lambda line: None, restored=restored)

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        tables = (self.environment["TABLE"], self.environment["LOG_TABLE"])
        return {table: sorted(self.client.scan(TableName=table)["Items"], key=str) for table in tables}

    def lose_event(self, aggregate: str, version: int) -> None:
        key = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": str(version)}}
        self.client.delete_item(TableName=self.environment["TABLE"], Key=key)

    def lose_entries(self, *positions: int) -> None:
        for entry in self.entries():
            if int(entry["logPosition"]["N"]) in positions:
                key = {name: entry[name] for name in ("logId", "logKey")}
                self.client.delete_item(TableName=self.environment["LOG_TABLE"], Key=key)

    def entries(self) -> list[dict[str, Any]]:
        items = self.client.scan(TableName=self.environment["LOG_TABLE"])["Items"]
        return [item for item in items if item["logId"]["S"] == "all"]

    def put_back(self, everything: dict[str, list[dict[str, Any]]]) -> None:
        for table, items in everything.items():
            names = (
                ("logId", "logKey") if table == self.environment["LOG_TABLE"] else ("aggregateId", "aggregateVersion")
            )
            for item in self.client.scan(TableName=table)["Items"]:
                self.client.delete_item(TableName=table, Key={name: item[name] for name in names})
            for item in items:
                self.client.put_item(TableName=table, Item=item)


@pytest.fixture
def store(harness_for: HarnessFor, watch: Watch) -> Iterator[Store]:
    """Positions 1 to 5: ann 1, (ann 2, josh 1), ann 3, and josh 2, which is too large for an entry."""
    harness: Harness = harness_for(PATTERN.name)
    environment: Environment = harness.fresh()
    made = Store(harness, environment, watch, PATTERN.sheet)
    opened = made.open()
    opened.store(event("ann", 1))
    opened.store(event("ann", 2), event("josh", 1), request_id="both")
    opened.store(event("ann", 3))
    opened.store(event("josh", 2, text=LARGE))
    yield made
    harness.discard(environment)


def lose_on_both_sides(store: Store) -> None:
    store.lose_event("ann", 2)
    store.lose_event("ann", 3)
    store.lose_entries(1, 5)


REPAIRABLE: dict[str, tuple[Callable[[Store], None], str]] = {
    "an event is lost": (
        lambda store: store.lose_event("ann", 2),
        "version 2 of aggregate 'ann' is in the order, at 2, and not in the events table: make repair",
    ),
    "the end of the log is lost": (
        lambda store: store.lose_entries(4, 5),
        "version 3 of aggregate 'ann' is in the events table, and not in the order of all events: make repair",
    ),
    "an entry in the middle is lost": (
        lambda store: store.lose_entries(3),
        "version 1 of aggregate 'josh' is in the e",
    ),
    "both have lost something": (lose_on_both_sides, "version 2 of aggregate 'ann' is in the order, at 2, and not"),
}


def lose_a_position(store: Store) -> None:
    store.lose_event("ann", 3)
    store.lose_entries(4)


def lose_the_end_of_a_request(store: Store) -> None:
    """As a backup may that holds a part of a transaction."""
    store.open().store(event("ann", 4), event("eve", 1))
    store.lose_event("eve", 1)
    store.lose_entries(7)


def change_an_event(store: Store) -> None:
    store.client.update_item(
        TableName=store.environment["TABLE"],
        Key={"aggregateId": {"S": "ann"}, "aggregateVersion": {"N": "2"}},
        UpdateExpression="SET metadata.forged = aggregateId",
    )


def store_another(store: Store) -> None:
    """What a writer does once an event is lost."""
    store.lose_event("josh", 2)
    store.open().store(event("josh", 2))


IRREPARABLE: dict[str, tuple[Callable[[Store], None], str]] = {
    "a large event is lost": (
        lambda store: store.lose_event("josh", 2),
        "version 2 of aggregate 'josh' is in the order",
    ),
    "a position is lost in both": (lose_a_position, "no event is at position 4, and the log goes to 5"),
    "the end of a request is lost in both": (
        lose_the_end_of_a_request,
        "no event is at position 7, and the log goes to 7: restore both tables to another moment",
    ),
    "an event was changed by hand": (
        change_an_event,
        "version 2 of aggregate 'ann', in the order at 2, has in the two tables another type, .* or metadata in each",
    ),
    "another event was stored meanwhile": (
        store_another,
        "version 2 of aggregate 'josh' is in the order twice, at 5 and 6",
    ),
}


def test_a_store_whose_parts_agree_is_said_to_and_neither_audit_nor_repair_writes(store: Store) -> None:
    before = store.everything()
    assert store.audit() == "5 events of 2 aggregates, 5 in the order"
    store.repair()
    assert store.everything() == before


@pytest.mark.parametrize(("diverge", "said"), (REPAIRABLE | IRREPARABLE).values(), ids=REPAIRABLE | IRREPARABLE)
def test_the_audit_names_the_first_difference(store: Store, diverge: Callable[[Store], None], said: str) -> None:
    diverge(store)
    with pytest.raises(Difference) as found:
        store.audit()
    assert re.search(said, str(found.value)), found.value


def test_a_reader_that_was_further_than_a_log_that_was_set_back_is_told_so(store: Store) -> None:
    store.lose_entries(4, 5)
    refused = store.open().answer("get_all_events", {"after": "5"})["error"]
    assert (refused["code"], refused["path"]) == ("InvalidRequest", "/after")
    assert "beyond the end of the log, 3" in refused["message"]
    assert store.open().answer("get_all_events", {"after": "3"}) == {"events": [], "next": "3", "hasMore": False}


def test_to_ask_for_more_at_the_end_takes_one_request_once_the_process_has_seen_the_end(store: Store) -> None:
    opened = store.open()
    opened.tail(None)
    with store.watch.recording() as calls:
        assert opened.answer("get_all_events", {"after": "5"})["events"] == []
    assert len(calls) == 1


def test_an_item_of_the_log_that_is_no_entry_is_named_and_once_deleted_made_again(store: Store) -> None:
    whole = store.audit()
    entry = next(entry for entry in store.entries() if entry["logPosition"]["N"] == "4")
    store.client.put_item(TableName=store.environment["LOG_TABLE"], Item={**entry, "eventType": {"N": "4"}})
    with pytest.raises(Difference, match=r"the item 4 of the log is no entry .* Delete it, and make repair"):
        store.audit()
    store.lose_entries(4)
    store.repair()
    assert store.audit() == whole


def test_an_entry_that_the_log_shows_only_after_the_one_behind_it_is_no_hole(store: Store) -> None:
    """Its transaction commits while the audit reads."""
    store.lose_entries(4)
    assert store.audit(settle_seconds=60) == "5 events of 2 aggregates, 4 in the order"


@pytest.mark.parametrize("diverge", [diverge for diverge, _ in REPAIRABLE.values()], ids=REPAIRABLE)
def test_a_repair_puts_every_event_where_it_was(store: Store, diverge: Callable[[Store], None]) -> None:
    events, log = store.harness.stored(store.environment), store.log()
    diverge(store)

    store.repair(restored=True)

    assert "; set back to " in store.audit()
    assert by_name(store.harness.stored(store.environment)) == by_name(events)
    assert store.log() == log
    store.open().store(event("ann", 4), event("josh", 3))
    assert [event["offset"] for event in store.log()] == ["1", "2", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize("diverge", [diverge for diverge, _ in IRREPARABLE.values()], ids=IRREPARABLE)
def test_what_no_table_can_give_back_is_not_touched(store: Store, diverge: Callable[[Store], None]) -> None:
    diverge(store)
    before = store.everything()
    with pytest.raises(Difference, match="to another moment"):
        store.repair(restored=True)
    assert store.everything() == before


@pytest.mark.parametrize("kind", [CrashBefore, CrashAfter, AnswerLostOnce])
def test_a_repair_killed_anywhere_is_continued_by_the_next(store: Store, kind: type[Fault]) -> None:
    log = store.log()
    lose_on_both_sides(store)
    diverged = store.everything()
    for number in range(40):
        store.put_back(diverged)
        fault = kind(number)
        with store.watch.recording(fault), suppress(Crash, BotoCoreError, ClientError):
            store.repair(restored=True)
        store.repair(restored=True)
        store.audit()
        assert store.log() == log
        if not fault.struck:
            break
    assert 8 < number < 39


def by_name(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event["aggregateId"], event["aggregateVersion"]))

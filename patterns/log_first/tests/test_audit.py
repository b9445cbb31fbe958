"""Pages and events that do not agree: what the audit says, and what the repair makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore.audits import Difference
from testkit.aws_calls import Watch
from testkit.examples import Event, event
from testkit.faults import AnswerLostOnce, Crash, CrashAfter, CrashBefore, Fault
from testkit.harness import Environment
from testkit.subjects import InProcess

from .. import audit as audited
from .test_large_requests import incompressible

Reopened = Callable[[], InProcess]
Tables = dict[str, list[dict[str, Any]]]
LARGE = incompressible(9_000)


class Store:
    """A store whose tables can be changed behind its back."""

    def __init__(self, environment: Environment, reopened: Reopened, dynamodb: Any) -> None:
        self.environment, self.open, self.dynamodb = environment, reopened, dynamodb
        self.events, self.log = environment["TABLE"], environment["LOG_TABLE"]

    def audit(self, settle_seconds: float = 0) -> str:
        return audited.audit(self.environment, lambda line: None, settle_seconds)

    def repair(self, *, restored: bool = False) -> None:
        audited.repair(self.environment, lambda line: None, restored=restored)

    def everything(self) -> Tables:
        tables = (self.events, self.log)
        return {table: sorted(self.dynamodb.scan(TableName=table)["Items"], key=str) for table in tables}

    def put_back(self, everything: Tables) -> None:
        for table, items in everything.items():
            names = ("aggregateId", "aggregateVersion") if table == self.events else ("part", "firstPosition")
            for item in self.dynamodb.scan(TableName=table)["Items"]:
                self.dynamodb.delete_item(TableName=table, Key={name: item[name] for name in names})
            for item in items:
                self.dynamodb.put_item(TableName=table, Item=item)

    def lose_event(self, aggregate: str, version: int) -> None:
        key = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": str(version)}}
        self.dynamodb.delete_item(TableName=self.events, Key=key)

    def lose_page(self, position: int) -> None:
        key = {"part": {"S": "pages"}, "firstPosition": {"N": str(position)}}
        self.dynamodb.delete_item(TableName=self.log, Key=key)

    def lose_bodies(self) -> None:
        for item in self.dynamodb.scan(TableName=self.log)["Items"]:
            if item["part"]["S"].startswith("body#"):
                key = {name: item[name] for name in ("part", "firstPosition")}
                self.dynamodb.delete_item(TableName=self.log, Key=key)

    def change(self, table: str, found: Callable[[dict[str, Any]], bool], **attributes: Any) -> None:
        [item] = [item for item in self.dynamodb.scan(TableName=table)["Items"] if found(item)]
        self.dynamodb.put_item(TableName=table, Item={**item, **attributes})

    def all_events(self) -> list[Event]:
        return self.open().tail(None)[0]


@pytest.fixture
def store(environment: Environment, reopened: Reopened, dynamodb: Any) -> Store:
    """Pages at 1: ann 1, 2: ann 2 and josh 1, 4: josh 2, which has a body, 5: ann 3, 6: josh 3 and eve 1."""
    opened = reopened()
    opened.store(event("ann", 1))
    opened.store(event("ann", 2), event("josh", 1), request_id="both")
    opened.store(event("josh", 2, text=LARGE))
    opened.store(event("ann", 3, number=0.5))
    opened.store(event("josh", 3), event("eve", 1))
    return Store(environment, reopened, dynamodb)


def set_the_log_back(store: Store) -> None:
    for position in (4, 5, 6):
        store.lose_page(position)


def lose_on_both_sides(store: Store) -> None:
    store.lose_event("ann", 1)
    store.lose_event("josh", 1)
    set_the_log_back(store)


REPAIRABLE: dict[str, tuple[Callable[[Store], None], str]] = {
    "an event is lost": (
        lambda store: store.lose_event("ann", 2),
        "version 2 of aggregate 'ann' is in the order, at 2, and not in the events table: .*make repair",
    ),
    "an event with a body is lost": (lambda store: store.lose_event("josh", 2), "version 2 of aggregate 'josh' is in"),
    "the log is set back": (
        set_the_log_back,
        "version 3 of aggregate 'ann' is in the events table, and not in the order of all events: .*make repair",
    ),
    "both have lost something": (lose_on_both_sides, "version 1 of aggregate 'ann' is in the order, at 1, and not"),
}


def lose_a_position(store: Store) -> None:
    set_the_log_back(store)
    store.lose_event("ann", 3)


def claim_a_position(store: Store) -> None:
    """With an item that no page has."""
    store.change(
        store.events,
        lambda item: item["logPosition"]["N"] == "1",
        aggregateId={"S": "forged"},
    )


IRREPARABLE: dict[str, tuple[Callable[[Store], None], str]] = {
    "a page in the middle is lost": (lambda store: store.lose_page(2), "no event at position 2, but later ones"),
    "a body is lost": (Store.lose_bodies, "the page at 4 refers to .*, which was deleted"),
    "a page was changed by hand": (
        lambda store: store.change(store.log, lambda item: item["firstPosition"]["N"] == "2", events={"N": "1"}),
        "the page at position 2 was changed by hand",
    ),
    "an event was changed by hand": (
        lambda store: store.change(
            store.events, lambda item: item["logPosition"]["N"] == "5", metadata={"M": {"number": {"N": "0.6"}}}
        ),
        "version 3 of aggregate 'ann', in the order at 5, has in the two tables another type, .* or metadata",
    ),
    "an event has another position": (
        lambda store: store.change(store.events, lambda item: item["logPosition"]["N"] == "5", logPosition={"N": "9"}),
        "version 3 of aggregate 'ann', in the order at 5, has in the two tables the position 9",
    ),
    "an event is at a position of another": (
        claim_a_position,
        "version 1 of aggregate 'forged' has the position 1 in the events table, where the log has another event",
    ),
    "a position is lost in both": (lose_a_position, "and not in the order"),
}


def test_a_store_whose_parts_agree_is_said_to_and_neither_audit_nor_repair_writes(store: Store) -> None:
    before = store.everything()
    assert store.audit() == "7 events of 3 aggregates, 7 in the order"
    store.repair()
    assert store.everything() == before


def test_an_empty_store_agrees(environment: Environment) -> None:
    assert audited.audit(environment, lambda line: None, 0) == "0 events of 0 aggregates, 0 in the order"


def test_events_of_the_last_page_are_put_by_the_next_writer_and_not_missed(store: Store) -> None:
    store.lose_event("josh", 3)
    store.lose_event("eve", 1)
    assert store.audit() == "7 events of 3 aggregates, 7 in the order"


def test_what_later_pages_have_put_while_the_log_was_read_is_no_difference(store: Store) -> None:
    store.lose_page(6)
    store.lose_event("eve", 1)
    assert store.audit(settle_seconds=60) == "5 events of 2 aggregates, 5 in the order"


@pytest.mark.parametrize(("diverge", "said"), (REPAIRABLE | IRREPARABLE).values(), ids=REPAIRABLE | IRREPARABLE)
def test_the_audit_names_the_first_difference(store: Store, diverge: Callable[[Store], None], said: str) -> None:
    diverge(store)
    with pytest.raises(Difference) as found:
        store.audit()
    assert re.search(said, str(found.value)), found.value


@pytest.mark.parametrize("diverge", [diverge for diverge, _ in REPAIRABLE.values()], ids=REPAIRABLE)
def test_a_repair_puts_every_event_where_it_was(store: Store, diverge: Callable[[Store], None]) -> None:
    log, events = store.all_events(), store.everything()[store.events]
    diverge(store)

    store.repair(restored=True)

    assert "; set back to " in store.audit()
    assert store.all_events() == log
    assert store.everything()[store.events] == events, "with their requests"
    store.open().store(event("ann", 4), event("josh", 4))
    assert [event["offset"] for event in store.all_events()] == [str(n) for n in range(1, 10)]


@pytest.mark.parametrize("diverge", [diverge for diverge, _ in IRREPARABLE.values()], ids=IRREPARABLE)
def test_what_no_table_can_give_back_is_not_touched(store: Store, diverge: Callable[[Store], None]) -> None:
    diverge(store)
    before = store.everything()
    with pytest.raises(Difference, match=r"another moment|a moment before"):
        store.repair(restored=True)
    assert store.everything() == before


@pytest.mark.parametrize("kind", [CrashBefore, CrashAfter, AnswerLostOnce])
def test_a_repair_killed_anywhere_is_continued_by_the_next(store: Store, watch: Watch, kind: type[Fault]) -> None:
    log = store.all_events()
    lose_on_both_sides(store)
    diverged = store.everything()
    for number in range(60):
        store.put_back(diverged)
        fault = kind(number)
        with watch.recording(fault), suppress(Crash, BotoCoreError, ClientError):
            store.repair()
        store.repair()
        assert "; set back to 3, noted" in store.audit()
        assert store.all_events() == log
        if not fault.struck:
            break
    assert 8 < number < 59

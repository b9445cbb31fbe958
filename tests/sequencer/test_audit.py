"""Events, pages, marks and checkpoint that do not agree: what the audit says, and what the repair makes of them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from itertools import product
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from lambdas.eventstore import ksuids
from lambdas.eventstore.audits import Difference
from lambdas.eventstore.dynamodb.items import Key, to_event
from lambdas.eventstore.events import StoredEvent
from lambdas.eventstore.sequencing import audit as audited
from testkit.aws_calls import Call, Disturbance, Send, Watch
from testkit.faults import AnswerLostOnce, CrashAfter, CrashBefore, EveryAnswerLost, Fault
from tests.sequencer.world import FAILURES, World, numbers

Diverge = Callable[[World], object]


@pytest.fixture
def world(emulated_world: World) -> World:
    """Five events in two pages: ann 1, ann 2, josh 1; ann 3, eve 1."""
    emulated_world.store(("ann", 1), ("ann", 2), ("josh", 1))
    emulated_world.sequence({"ann": 2, "josh": 1})
    emulated_world.store(("ann", 3), ("eve", 1))
    emulated_world.sequence({"ann": 3, "eve": 1})
    return emulated_world


def environ(world: World) -> dict[str, str]:
    return {"TABLE": world.events, "LOG_TABLE": world.log}


def audit(world: World, settle_seconds: float = 0) -> str:
    return audited.audit(environ(world), lambda line: None, settle_seconds)


def repair(world: World, *, restored: bool = False) -> None:
    audited.repair(environ(world), lambda line: None, restored=restored)


def difference(world: World) -> str:
    with pytest.raises(Difference) as found:
        audit(world)
    return str(found.value)


def delete_event(world: World, aggregate: str, version: int) -> None:
    key = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": str(version)}}
    world.dynamodb.delete_item(TableName=world.events, Key=key)


def delete(world: World, part: str, position: int = 0) -> None:
    key = {"part": {"S": part}, "firstPosition": {"N": str(position)}}
    world.dynamodb.delete_item(TableName=world.log, Key=key)


def set_mark(world: World, part: str, reached: int) -> None:
    item = {"part": {"S": part}, "firstPosition": {"N": "0"}, "reached": {"N": str(reached)}}
    world.dynamodb.put_item(TableName=world.log, Item=item)


def set_back(world: World) -> None:
    """The last page is gone, its marks are not."""
    delete(world, "pages", 4)


def set_back_with_its_checkpoint(world: World) -> None:
    set_back(world)
    set_mark(world, "checkpoint", 3)


def empty_the_log(world: World) -> None:
    for item in world._items(world.log):
        delete(world, item["part"]["S"], int(item["firstPosition"]["N"]))


def lose_events(world: World) -> None:
    for key in (("ann", 2), ("ann", 3), ("eve", 1)):
        delete_event(world, *key)


def lose_both(world: World) -> None:
    """The table has lost what the log has, the log what the table has, and marks are too high and too low."""
    delete_event(world, "ann", 2)
    delete_event(world, "josh", 1)
    set_back(world)
    set_mark(world, "aggregate#josh", 0)
    world.store(("eve", 2))


REPAIRABLE: dict[str, tuple[Diverge, str]] = {
    "an event was deleted": (
        lambda world: delete_event(world, "ann", 3),
        "version 3 of aggregate 'ann' is in the order, at 4, and not in the events table: .* make repair",
    ),
    "the events were set back": (lose_events, "version 2 of aggregate 'ann' is in the order, at 2, and not in the ev"),
    "the log was set back, its marks not": (
        set_back,
        "the checkpoint is at 5, and the log ends at 3: it was set back.* make repair; .*rebuild",
    ),
    "a mark outlives its page": (
        set_back_with_its_checkpoint,
        "the mark of aggregate 'ann' is at version 3, and the log has it up to 2: .*never enter .* make repair",
    ),
    "a mark of no event": (
        lambda world: set_mark(world, "aggregate#new", 2),
        "the mark of aggregate 'new' is at version 2, and the log has it up to 0",
    ),
    "a mark is gone": (
        lambda world: delete(world, "aggregate#ann"),
        "the mark of aggregate 'ann' is at version 0, and the log has it up to 3: .*twice.* make repair",
    ),
    "a mark is too low": (
        lambda world: set_mark(world, "aggregate#ann", 1),
        "at version 1, and the log has it up to 3",
    ),
    "the log is gone": (empty_the_log, "version 1 of aggregate 'ann' is in the events table, and not in the order"),
    "nobody has sequenced": (
        lambda world: world.store(("josh", 2)),
        "version 2 of aggregate 'josh' is in the events table, and not in the order of all events: .*make repair",
    ),
    "both have lost something": (lose_both, "the checkpoint is at 5, and the log ends at 3"),
}


def change_a_page(world: World) -> None:
    [page] = [it for it in world._items(world.log) if it["firstPosition"]["N"] == "4"]
    world.dynamodb.put_item(TableName=world.log, Item={**page, "events": {"N": "1"}})


def break_a_page(world: World) -> None:
    [page] = [it for it in world._items(world.log) if it["firstPosition"]["N"] == "4"]
    world.dynamodb.put_item(TableName=world.log, Item={**page, "page": {"B": b"none"}})


def log_again(world: World, key: Key) -> None:
    """The event is at position 6, too."""
    world.open_log().append(6, [event_of(world, key)])


def event_of(world: World, key: Key) -> StoredEvent:
    return to_event(world.open_events().get([key])[key])


def change_an_event(world: World) -> None:
    item = next(
        it for it in world._items(world.events) if (it["aggregateId"]["S"], it["aggregateVersion"]["N"]) == ("ann", "3")
    )
    world.dynamodb.put_item(TableName=world.events, Item={**item, "eventType": {"S": "FORGED"}})


def lose_a_version(world: World) -> None:
    world.store(("josh", 2), ("josh", 3))
    delete_event(world, "josh", 2)


def lose_a_version_and_an_event(world: World) -> None:
    lose_a_version(world)
    delete_event(world, "ann", 3)


def number_against_the_order(world: World) -> None:
    """Version 3 comes before version 2."""
    world.store(("josh", 3))
    world.store(("josh", 2))
    for position, version in ((6, 3), (7, 2)):
        world.open_log().append(position, [event_of(world, ("josh", version))])


def sequence_by_a_mark_too_high(world: World) -> None:
    set_back_with_its_checkpoint(world)
    world.store(("ann", 4))
    world.sequence({"ann": 4})


IRREPARABLE: dict[str, tuple[Diverge, str]] = {
    "a sequencer went by a mark too high": (
        sequence_by_a_mark_too_high,
        "version 4 of aggregate 'ann' is in the order at 4, and version 3 is not before it",
    ),
    "a page in the middle is gone": (
        lambda world: delete(world, "pages", 1),
        "no event at position 1, but later ones.*make restore-drill",
    ),
    "a page says that it holds less": (change_a_page, "the page at position 4 was changed by hand"),
    "a page cannot be read": (break_a_page, "the page at position 4 was changed by hand"),
    "an event is in the log twice": (
        lambda world: log_again(world, ("ann", 1)),
        "version 1 of aggregate 'ann' is in the order twice, at 1 and 6",
    ),
    "another event of that name": (
        lambda world: world.store(("ann", 3)),
        "version 3 of aggregate 'ann', in the order at 4, has in the two tables the ids .* and ",
    ),
    "an event was changed by hand": (
        change_an_event,
        "version 3 of aggregate 'ann', in the order at 4, has in the two tables another type, .* or metadata in each",
    ),
    "the order is against the versions": (
        number_against_the_order,
        "version 3 of aggregate 'josh' is in the order at 6, before version 2, at 7",
    ),
    "a version is nowhere": (
        lose_a_version,
        "version 3 of aggregate 'josh' is in the events table, and not in the order",
    ),
    "a version is nowhere, and an event could be given back": (
        lose_a_version_and_an_event,
        "version 3 of aggregate 'ann' is in the order, at 4, and not in the events table",
    ),
    "an item is no event": (
        lambda world: world.store(("josh", 2), metadata={"S": "none"}),
        "the item .*josh.* of the events table is no event",
    ),
}


def everything(world: World) -> list[Any]:
    return [sorted(world._items(table), key=str) for table in (world.events, world.log)]


def test_a_store_whose_parts_agree_is_said_to(world: World) -> None:
    assert audit(world) == "5 events of 3 aggregates, 5 in the order"


def test_an_empty_store_agrees(emulated_world: World) -> None:
    assert audit(emulated_world) == "0 events of 0 aggregates, 0 in the order"


def test_the_audit_and_a_repair_of_a_sound_store_write_nothing(world: World) -> None:
    before = everything(world)
    audit(world)
    repair(world)
    assert everything(world) == before


@pytest.mark.parametrize(("diverge", "said"), (REPAIRABLE | IRREPARABLE).values(), ids=REPAIRABLE | IRREPARABLE)
def test_the_audit_names_the_first_difference(world: World, diverge: Diverge, said: str) -> None:
    diverge(world)
    found = difference(world)
    assert re.search(said, found), found


@pytest.mark.parametrize("diverge", [diverge for diverge, _ in REPAIRABLE.values()], ids=REPAIRABLE)
def test_a_repair_loses_nothing_that_either_place_holds(world: World, diverge: Diverge) -> None:
    diverge(world)
    stored, logged = world.stored(), world.logged()

    repair(world)

    audit(world)
    assert world.logged()[: len(logged)] == logged
    assert world.stored() == stored | set(logged)
    world.assert_complete()
    world.store(("new", 1), ("new", 2))
    world.sequence({"new": 2})
    world.assert_complete()


@pytest.mark.parametrize("diverge", [diverge for diverge, _ in IRREPARABLE.values()], ids=IRREPARABLE)
def test_what_no_place_can_give_back_is_not_touched(world: World, diverge: Diverge) -> None:
    diverge(world)
    before = everything(world)
    with pytest.raises(Difference):
        repair(world)
    assert everything(world) == before


def test_an_event_that_is_on_its_way_is_not_missed(world: World) -> None:
    [just_now] = ksuids.issue(1, time.time())
    world.store(("josh", 2), eventId={"S": just_now})
    assert audit(world, settle_seconds=60).startswith("6 events")
    assert "not in the order" in difference(world)


def test_an_event_is_given_back_as_it_was(world: World) -> None:
    before = deepcopy(world._items(world.events))
    lose_events(world)
    repair(world)
    assert sorted(world._items(world.events), key=str) == sorted(before, key=str)


@pytest.mark.parametrize("kind", [CrashBefore, CrashAfter, AnswerLostOnce, EveryAnswerLost])
def test_a_repair_killed_anywhere_is_continued_by_the_next(world: World, watch: Watch, kind: type[Fault]) -> None:
    lose_both(world)
    diverged = everything(world)
    stored, logged = world.stored(), world.logged()
    for number in numbers():
        put_back(world, diverged)
        fault = kind(number)
        with watch.recording(fault), suppress(*FAILURES):
            repair(world)
        repair(world)
        assert "; set back to 3, noted" in audit(world)
        assert world.logged()[:3] == logged
        assert world.stored() == stored | set(logged)
        world.assert_complete()
        if not fault.struck:
            break
    assert number > 20


def test_an_invocation_of_the_sequencer_that_is_still_under_way_does_a_repair_no_harm(
    world: World, watch: Watch
) -> None:
    """It has read a checkpoint and marks that tell of what the log holds."""
    lose_both(world)
    world.store(("new", 1))
    set_mark(world, "checkpoint", 3)
    diverged = everything(world)
    stored, logged = world.stored(), world.logged()
    for number in numbers():
        put_back(world, diverged)
        meanwhile = Meanwhile(number, lambda: world.sequence({"new": 1}))
        with watch.recording(meanwhile), suppress(Difference):
            repair(world)
        repair(world)
        audit(world)
        assert world.stored() == stored | set(logged)
        world.assert_complete()
        if not meanwhile.struck:
            break
    assert number > 20


def test_whatever_moments_the_two_tables_are_restored_to_nothing_that_either_holds_is_lost(
    world: World, watch: Watch
) -> None:
    """Each table as it was after each of its writes, with each of the other's."""
    events, log = [world._items(world.events)], [world._items(world.log)]
    for key in (("josh", 2), ("ann", 4), ("ann", 5)):
        world.store(key)
        events.append(world._items(world.events))
    before = everything(world)
    for number in numbers():
        put_back(world, before)
        crash = CrashAfter(number)
        with watch.recording(crash), suppress(*FAILURES):
            world.sequence({"ann": 5, "josh": 2})
        if world._items(world.log) != log[-1]:
            log.append(world._items(world.log))
        if not crash.struck:
            break

    for stored, logged in product(events, log):
        put_back(world, [list(stored), list(logged)])
        kept = world.stored() | set(world.logged())
        repair(world, restored=True)
        assert "; set back to " in audit(world)
        assert world.stored() == kept
        world.assert_complete()
    assert (len(events), len(log)) == (4, 5)


def put_back(world: World, tables: list[list[Any]]) -> None:
    for table, items in zip((world.events, world.log), tables, strict=True):
        for item in world._items(table):
            keys = ("aggregateId", "aggregateVersion") if table == world.events else ("part", "firstPosition")
            world.dynamodb.delete_item(TableName=table, Key={name: item[name] for name in keys})
        for item in items:
            world.dynamodb.put_item(TableName=table, Item=item)


class Meanwhile(Disturbance):
    """Has something else done right before the call of this number."""

    def __init__(self, number: int, work: Callable[[], object]) -> None:
        self._number, self._work = number, work
        self.struck = False

    def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        if call.number == self._number and not self.struck:
            self.struck = True
            self._work()
        return None

"""Each line of a pattern's guarantee sheet, both ways: what it admits is shown, what it rules out never shows."""

from collections.abc import Iterator
from typing import Any

import pytest

from testkit.aws_calls import Watch
from testkit.examples import event, new_id
from testkit.harness import Harness
from testkit.schedules import SCHEDULES, Scene
from tools.discovery import Pattern

ADMITTED: dict[str, Any] = {
    "late_events": True,
    "global_order": "clock",
    "read_all": "eventual",
    "dense_offsets": False,
}
"""The value by which a sheet admits what the schedules of that line try to show."""


@pytest.fixture
def guarantees(each_pattern: Pattern) -> dict[str, Any]:
    return dict(each_pattern.sheet["guarantees"])


@pytest.fixture
def scene(harness: Harness, watch: Watch, each_pattern: Pattern) -> Iterator[Scene]:
    environment = harness.fresh()
    yield Scene(harness, environment, watch, each_pattern.sheet)
    harness.discard(environment)


@pytest.mark.parametrize("line", ADMITTED)
def test_the_sheet_admits_exactly_what_can_be_forced(
    harness: Harness, watch: Watch, each_pattern: Pattern, guarantees: dict[str, Any], line: str
) -> None:
    shown = []
    for schedule in (*SCHEDULES[line], *harness.schedules.get(line, ())):
        environment = harness.fresh()
        if schedule(Scene(harness, environment, watch, each_pattern.sheet)):
            shown.append(schedule.__name__)
        harness.discard(environment)

    if guarantees[line] == ADMITTED[line]:
        assert shown, f"nothing forces what {line} = {guarantees[line]!r} admits: the sheet promises less than it could"
    else:
        assert not shown, f"{line} = {guarantees[line]!r} is broken when {', '.join(shown)}"


def test_tampering_is_found_exactly_if_the_sheet_says_so(scene: Scene, guarantees: dict[str, Any]) -> None:
    aggregate = new_id()
    scene.open().store(event(aggregate, 1, amount=1), event(aggregate, 2, amount=2))
    scene.log()
    assert not scene.harness.finds_tampering(scene.environment), "found before there was any"

    scene.harness.tamper(scene.environment, aggregate, 1)

    assert scene.harness.finds_tampering(scene.environment) is guarantees["tamper_evident"]
    if not guarantees["tamper_evident"]:
        assert scene.open().aggregate(aggregate)[0]["metadata"] == {"tampered": True}, "nothing was forged"

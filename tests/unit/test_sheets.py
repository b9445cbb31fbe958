"""Each pattern's sheet has the form of patterns/pattern.schema.json, which says what each line means."""

import json
from typing import Any

import jsonschema
import pytest

from compare.model.late_events import DEFAULT_WINDOW, late_share
from testkit.sheet_costs import WORKLOADS
from tools.discovery import ROOT, Pattern, patterns
from tools.sheets import one_more_event, sustained

SCHEMA = json.loads((ROOT / "patterns/pattern.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "sheet", [pattern.sheet for pattern in patterns()], ids=[pattern.name for pattern in patterns()]
)
def test_a_sheet_has_its_form(sheet: dict[str, Any]) -> None:
    jsonschema.validate(sheet, SCHEMA, jsonschema.Draft7Validator)
    assert sheet["costs"].keys() == WORKLOADS.keys()


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.name)
def test_a_source_inside_the_project_exists(pattern: Pattern) -> None:
    for ceiling in pattern.sheet["ceilings"]:
        assert ceiling["source"].startswith("https://") or (ROOT / ceiling["source"].split("::")[0]).exists()


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("global_order", "any"),
        ("read_all", True),
        ("late_events", "no"),
        ("dense_offsets", 1),
        ("tamper_evident", None),
        ("exactly_once", True),
    ],
)
def test_a_line_that_says_something_else_is_refused(line: str, value: Any) -> None:
    sheet = patterns()[0].sheet
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**sheet, "guarantees": {**sheet["guarantees"], line: value}}, SCHEMA)


def test_a_sheet_that_admits_late_events_says_how_many_and_no_other_does() -> None:
    for pattern in patterns():
        assert ("late" in pattern.sheet) is pattern.sheet["guarantees"]["late_events"]
        sheet = dict(pattern.sheet)
        if not sheet.pop("late", None):
            sheet["late"] = {"share": 0.1, "assumes": "nothing", "source": "tests/unit", "read": "2026-11"}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(sheet, SCHEMA)


def test_the_share_of_late_events_is_what_the_simulation_finds() -> None:
    for pattern in patterns():
        if late := pattern.sheet.get("late"):
            assert late["share"] == pytest.approx(late_share(skew=0.0, window=DEFAULT_WINDOW))


def test_one_more_event_costs_its_append_and_its_share_of_the_way_into_the_log() -> None:
    costs: dict[str, dict[str, float]] = {
        "first_event": {"requests": 1, "write_units": 1},
        "later_event": {"requests": 2, "write_units": 1, "read_units": 1},
        "fifty_appends": {"requests": 2.1, "write_units": 2.08, "read_units": 2.02},
    }

    assert one_more_event(costs) == pytest.approx({"requests": 3.1, "write_units": 2.08, "read_units": 3.02})


@pytest.mark.parametrize(("size", "appends"), [(512, 600), (1024, 600), (1025, 500), (10 * 1024, 100)])
def test_the_tightest_ceiling_on_appends_is_what_a_store_sustains(size: int, appends: float) -> None:
    ceilings = [
        {"value": 600, "bounds": "appends"},
        {"value": 1000, "bounds": "kilobytes"},
        {"value": 20, "unit": "events of a page"},
    ]

    assert sustained(ceilings, size) == appends


def test_where_no_ceiling_is_on_appends_none_is_claimed() -> None:
    assert sustained([{"value": 20, "unit": "events of a page"}]) is None

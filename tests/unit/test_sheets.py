"""Each pattern's sheet has the form of patterns/pattern.schema.json, which says what each line means."""

import json
from typing import Any

import jsonschema
import pytest

from tests.support.workloads import WORKLOADS
from tools.discovery import ROOT, Pattern, patterns

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

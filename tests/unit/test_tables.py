"""The tables in the READMEs are those of the patterns' sheets."""

import re
from pathlib import Path

import pytest

from tools import options, tables
from tools.console import Failure
from tools.discovery import ROOT, patterns


def test_every_generated_table_is_up_to_date() -> None:
    stale = [str(readme) for readme, text in tables.generated() if readme.read_text(encoding="utf-8") != text]
    assert not stale, "run make tables"


def test_the_comparison_has_a_row_for_each_pattern() -> None:
    rows = tables.comparison(patterns()).splitlines()
    assert len(rows) == 2 + len(patterns())
    assert all(pattern.name in row for pattern, row in zip(patterns(), rows[2:], strict=True))


def test_a_sheet_that_changes_changes_its_table(tmp_path: Path) -> None:
    folder = tmp_path / "patterns/sample"
    folder.mkdir(parents=True)
    sheet = (patterns()[0].folder / "pattern.toml").read_text(encoding="utf-8")
    front = "".join(f"<!-- {table}:begin --><!-- {table}:end -->" for table in ("patterns", "options"))
    (tmp_path / "README.md").write_text(front, encoding="utf-8")
    (folder / "README.md").write_text("<!-- guarantees:begin --><!-- guarantees:end -->", encoding="utf-8")
    for late, word in (("true", "possible"), ("false", "never")):
        lines = [f"late_events = {late}" if line.startswith("late_events") else line for line in sheet.splitlines()]
        (folder / "pattern.toml").write_text("\n".join(lines), encoding="utf-8")
        [(_, comparison), (_, promises)] = tables.generated(tmp_path)
        assert f"| {word} |" in comparison
        assert f"late_events = {late}" in promises


def test_a_readme_without_markers_is_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no markers", encoding="utf-8")
    with pytest.raises(Failure, match="needs the markers"):
        list(tables.generated(tmp_path))


def test_a_readme_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"README\.md is missing"):
        list(tables.generated(tmp_path))


def test_every_field_of_the_shared_options_is_in_the_table() -> None:
    shown = [name.strip("`") for name, _, _ in options.options()]
    home = (ROOT / "terraform/modules/event_store_api/variables.tf").read_text(encoding="utf-8")
    for variable in ("function_settings", "operation_settings"):
        [block] = re.findall(rf'(?ms)^variable "{variable}" {{\n(.*?)^}}', home)
        fields = re.findall(r"(?m)^    (\w+)\s+= optional", block)
        assert [name for name in shown if name.startswith(variable)] == [f"{variable}.{field}" for field in fields]
    assert {"kms_key_arn", "table_settings.append_only"} <= set(shown)

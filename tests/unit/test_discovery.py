from pathlib import Path

import pytest

from tools.console import UsageError
from tools.discovery import ROOT, patterns, select


def add_pattern(root: Path, name: str) -> None:
    (root / "patterns" / name).mkdir(parents=True)
    (root / "patterns" / name / "pattern.toml").write_text(f'title = "{name}"\n')


def test_each_folder_with_a_sheet_is_a_pattern(tmp_path: Path) -> None:
    add_pattern(tmp_path, "second")
    add_pattern(tmp_path, "first")
    (tmp_path / "patterns/not-one").mkdir()
    assert [(pattern.name, pattern.sheet["title"]) for pattern in patterns(tmp_path)] == [
        ("first", "first"),
        ("second", "second"),
    ]


def test_this_checkout_has_patterns() -> None:
    assert patterns(ROOT)


def test_all_selects_every_pattern(tmp_path: Path) -> None:
    add_pattern(tmp_path, "first")
    add_pattern(tmp_path, "second")
    assert [pattern.name for pattern in select("all", tmp_path)] == ["first", "second"]


@pytest.mark.parametrize(("wanted", "complaint"), [("third", "no pattern 'third'"), ("", "PATTERN is missing")])
def test_a_wrong_pattern_is_wrong_usage_and_the_valid_ones_are_listed(
    tmp_path: Path, wanted: str, complaint: str
) -> None:
    add_pattern(tmp_path, "first")
    add_pattern(tmp_path, "second")
    with pytest.raises(UsageError, match=f"{complaint}.*first, second, all") as raised:
        select(wanted, tmp_path)
    assert raised.value.status == 2

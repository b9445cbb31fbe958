"""What `make pattern` makes, and the names that it refuses."""

import ast
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from tools.console import UsageError
from tools.discovery import ROOT
from tools.pattern import MAX_LENGTH, TEMPLATE, scaffold


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """One with nothing but the template."""
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(ROOT / "patterns" / TEMPLATE, tmp_path / "patterns" / TEMPLATE, ignore=ignored)
    return tmp_path


def test_a_pattern_is_the_template_under_its_own_title_and_class_name(checkout: Path) -> None:
    made = scaffold("my_pattern", checkout)

    template = checkout / "patterns" / TEMPLATE
    assert made == checkout / "patterns/my_pattern"
    assert files(made) == files(template)
    changed = {name for name in files(made) if (made / name).read_bytes() != (template / name).read_bytes()}
    assert changed == {"README.md", "__init__.py", "pattern.toml", "store.py", "tests/harness.py"}
    assert "class MyPatternEventStore(" in (made / "store.py").read_text(encoding="utf-8")
    assert (made / "README.md").read_text(encoding="utf-8").startswith("# `my_pattern`: My pattern\n")
    assert tomllib.loads((made / "pattern.toml").read_text(encoding="utf-8"))["title"] == "My pattern"


def test_its_code_no_longer_names_the_template(checkout: Path) -> None:
    made = scaffold("my_pattern", checkout)

    for file in made.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        ast.parse(text)
        assert not re.search(rf"\b{TEMPLATE}\b|{TEMPLATE.capitalize()}EventStore", text), file


def files(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("", "NAME is missing: give NAME=…"),
        ("My_Pattern", "give NAME=… in lower-case letters"),
        ("my-pattern", "give NAME=… in lower-case letters"),
        ("my__pattern", "give NAME=… in lower-case letters"),
        ("my_", "give NAME=… in lower-case letters"),
        ("2nd", "give NAME=… in lower-case letters"),
        ("../elsewhere", "give NAME=… in lower-case letters"),
        ("class", "give NAME=… in lower-case letters"),
        ("all", "give another NAME"),
        ("memory", "give another NAME"),
        (TEMPLATE, "give another NAME, or remove patterns/ksuid first"),
        ("a" * (MAX_LENGTH + 1), f"give at most {MAX_LENGTH} characters"),
    ],
)
def test_a_name_that_cannot_be_is_wrong_usage_and_the_remedy_is_told(checkout: Path, name: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refused:
        scaffold(name, checkout)

    assert refused.value.status == 2
    assert remedy in str(refused.value)
    assert [folder.name for folder in (checkout / "patterns").iterdir()] == [TEMPLATE]


def test_the_longest_name_is_one(checkout: Path) -> None:
    assert scaffold("a" * MAX_LENGTH, checkout).is_dir()

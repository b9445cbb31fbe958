"""What a program imports: all of it, however it is written, and nothing else."""

from pathlib import Path

import pytest

from tools.imports import closure, names_from

FILES = ("main.py", "alone.py", "p/__init__.py", "p/main.py", "p/other.py", "p/q/__init__.py", "p/q/deep.py")


def reached(folder: Path, entry: str, source: str) -> set[str]:
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    (folder / entry).write_text(source)
    return closure([entry], {name: folder / name for name in FILES}) - {entry}


P, Q = "p/__init__.py", "p/q/__init__.py"


@pytest.mark.parametrize(
    ("source", "imported"),
    [
        ("import alone", {"alone.py"}),
        ("import p", {P}),
        ("import p.other as o", {P, "p/other.py"}),
        ("import p.q.deep", {P, Q, "p/q/deep.py"}),
        ("from p import other", {P, "p/other.py"}),
        ("from p.other import thing", {P, "p/other.py"}),
        ("def f():\n    class C:\n        from p import other", {P, "p/other.py"}),
        ("try:\n    import alone\nexcept ImportError:\n    import p", {"alone.py", P}),
        ("if True:\n    import alone", {"alone.py"}),
        ("import json, boto3, not_installed", set()),
        ("# import alone\n'import p'", set()),
    ],
)
def test_an_import_is_found_wherever_it_stands(tmp_path: Path, source: str, imported: set[str]) -> None:
    assert reached(tmp_path, "main.py", source) == imported


@pytest.mark.parametrize(
    ("source", "imported"),
    [
        ("", {P}),
        ("from . import other", {P, "p/other.py"}),
        ("from .other import thing", {P, "p/other.py"}),
        ("from .q import deep", {P, Q, "p/q/deep.py"}),
        ("from .q.deep import thing", {P, Q, "p/q/deep.py"}),
    ],
)
def test_relative_imports_are_those_of_the_package(tmp_path: Path, source: str, imported: set[str]) -> None:
    assert reached(tmp_path, "p/main.py", source) == imported


def test_relative_imports_can_go_up(tmp_path: Path) -> None:
    assert reached(tmp_path, "p/q/deep.py", "from ..other import thing") == {P, Q, "p/other.py"}
    assert reached(tmp_path, "p/q/__init__.py", "from . import deep\nfrom .. import other") >= {"p/other.py"}


@pytest.mark.parametrize("condition", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_what_only_type_checkers_import_is_left_out(tmp_path: Path, condition: str) -> None:
    source = f"if {condition}:\n    import alone\nelse:\n    import p.other"
    assert reached(tmp_path, "main.py", source) == {P, "p/other.py"}


def test_imports_are_followed_and_may_go_in_circles(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p/__init__.py").write_text("import alone")
    (tmp_path / "alone.py").write_text("import main\nimport p")
    assert reached(tmp_path, "main.py", "import p.other") == {P, "p/other.py", "alone.py"}


def test_names_are_told_by_the_module_they_come_from() -> None:
    source = """
from a import b, c as d
from e import f
def g():
    from a import h
if TYPE_CHECKING:
    from a import i
"""
    assert names_from("a", source) == {"b", "c", "h"}

"""The seam between handlers and patterns, as the type checker sees it."""

from collections.abc import Iterable
from pathlib import Path

from mypy import api

from tools.discovery import ROOT, patterns

CHECK = """
from lambdas.eventstore.contract import StoreModule
import {store}

module: StoreModule = {store}
"""


def faults(stores: Iterable[str], tmp_path: Path) -> str:
    """What mypy, as strict as everywhere, finds in programs that take these modules for a pattern's store."""
    programs = []
    for store in stores:
        programs.append(tmp_path / f"{store.replace('.', '_')}.py")
        programs[-1].write_text(CHECK.format(store=store))
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "cache")]
    found, complaint, _ = api.run([*options, *map(str, programs)])
    assert not complaint
    return found


def test_every_pattern_s_store_module_fits_the_seam(tmp_path: Path) -> None:
    found = faults([f"patterns.{pattern.name}.store" for pattern in patterns()], tmp_path)
    assert found.startswith("Success"), found


def test_a_module_that_makes_no_store_does_not(tmp_path: Path) -> None:
    assert "Incompatible types in assignment" in faults(["patterns.aurora.data_api"], tmp_path)

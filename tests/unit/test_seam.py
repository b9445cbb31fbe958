"""The seams between patterns and what runs them, handlers and commands, as the type checker sees them."""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from mypy import api

from tools.discovery import ROOT, patterns

STORE = "from lambdas.eventstore.contract import StoreModule as Seam"
AUDIT = "from lambdas.eventstore.audits import AuditModule as Seam"
OFFERS = {
    "repair": "from lambdas.eventstore.audits import Repairs as Seam",
    "restore_variables": "from lambdas.eventstore.audits import Restores as Seam",
}
CHECK = "{seam}\nimport {module}\n\nmodule: Seam = {module}\n"


def faults(modules: Iterable[tuple[str, str]], tmp_path: Path) -> str:
    """What mypy, as strict as everywhere, finds in programs that take each module for what the seam says."""
    programs = []
    for number, (module, seam) in enumerate(modules):
        programs.append(tmp_path / f"program_{number}.py")
        programs[-1].write_text(CHECK.format(module=module, seam=seam))
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(tmp_path / "cache")]
    found, complaint, _ = api.run([*options, *map(str, programs)])
    assert not complaint
    return found


def test_every_pattern_s_modules_fit_their_seams(tmp_path: Path) -> None:
    modules = [(f"patterns.{pattern.name}.store", STORE) for pattern in patterns()]
    for audit in (f"patterns.{pattern.name}.audit" for pattern in patterns()):
        modules += [(audit, AUDIT)]
        modules += [(audit, seam) for offer, seam in OFFERS.items() if hasattr(import_module(audit), offer)]
    found = faults(modules, tmp_path)
    assert found.startswith("Success"), found


def test_a_module_that_makes_no_store_does_not(tmp_path: Path) -> None:
    assert "Incompatible types in assignment" in faults([("patterns.aurora.data_api", STORE)], tmp_path)

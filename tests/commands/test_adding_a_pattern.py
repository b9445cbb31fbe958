"""Adding a pattern is adding a folder: make, pytest and Terraform find it, with no edit elsewhere."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.conftest import Make


@pytest.fixture(scope="module")
def added(checkout: Path) -> Iterator[Path]:
    """The folder of a new pattern, made from `ksuid` by nothing but giving it another name."""
    folder = checkout / "patterns/added"
    shutil.copytree(checkout / "patterns/ksuid", folder, ignore=shutil.ignore_patterns("test_*.py", "*.tftest.hcl"))
    for file in [*folder.glob("*.tf"), *folder.glob("*.toml")]:
        file.write_text(file.read_text(encoding="utf-8").replace("ksuid", "added"), encoding="utf-8")
    yield folder
    shutil.rmtree(folder)


def test_make_lists_it(make: Make, added: Path) -> None:
    assert "added" in make("deploy", "PATTERN=nonsense").stderr


def test_the_suite_covers_it(checkout: Path, environ: dict[str, str], added: Path) -> None:
    collected = pytest_in(
        checkout, environ, "--collect-only", "-q", "tests/conformance", "tests/stateful", "tests/unit"
    )

    for part in ("added in process", "added deployed"):
        for module in ("test_store_events.py", "test_get_aggregate_events.py", "test_get_all_events.py"):
            assert any(module in line and part in line for line in collected), f"no {part} in {module}"
    for module in ("test_faults.py", "test_guarantees.py", "test_costs.py", "test_permissions.py", "test_sheets.py"):
        assert any(module in line and "added" in line for line in collected), f"nothing of it in {module}"
    assert any("test_architecture.py" in line and "added" in line for line in collected)


def test_terraform_deploys_it_and_it_keeps_the_contract(checkout: Path, environ: dict[str, str], added: Path) -> None:
    ran = pytest_in(checkout, environ, "-q", "tests/conformance/test_get_all_events.py", "-k", "every_event_comes_once")

    assert "3 passed" in ran[-1], "\n".join(ran[-40:])


def pytest_in(checkout: Path, environ: dict[str, str], *arguments: str) -> list[str]:
    """What pytest says in the checkout, about the new pattern alone."""
    python = checkout / ".venv/bin/python" if (checkout / ".venv/bin/python").exists() else Path(sys.executable)
    own = {name: value for name, value in environ.items() if not name.startswith("PYTEST_")}
    command = [str(python), "-m", "pytest", "--pattern", "added", "-p", "no:xdist", *arguments]
    done = subprocess.run(command, cwd=checkout, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()

"""Tests are spread over workers one by one, but for those that share a fixture of their module."""

import os
import subprocess
import sys
from pathlib import Path

from tools.discovery import ROOT

TESTS = """
import os
from pathlib import Path

import pytest

WORKER = os.environ["PYTEST_XDIST_WORKER"]
FOLDER = Path(__file__).parent

@pytest.fixture(scope="module")
def shared():
    (FOLDER / f"shared-{WORKER}").touch()

@pytest.mark.parametrize("n", range(6))
def test_that_shares(shared, n):
    pass

@pytest.mark.parametrize("n", range(20))
def test_that_does_not(n):
    (FOLDER / f"alone-{WORKER}").touch()
"""


def test_what_is_shared_is_made_by_one_worker_and_all_else_goes_to_whichever_is_free(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["testkit.fixtures"]')
    options = ["-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)]

    subprocess.run(command, cwd=ROOT, env=own, check=True, stdout=sys.stderr)

    assert len(list(tmp_path.glob("shared-*"))) == 1
    assert len(list(tmp_path.glob("alone-*"))) == 2

"""The first command in a fresh clone, where there is no virtual environment yet."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands.conftest import LEFT_OUT
from tools.discovery import ROOT, patterns

Make = Callable[..., "subprocess.CompletedProcess[str]"]

PLAYED = """#!/bin/sh
# A Python that notes what it is to run, and makes an environment of itself.
case "$*" in *" -c "*) exit;; esac
echo "$*" >> "$NOTES"
case "$*" in
*tools.venv*)
    mkdir -p .venv/bin
    [ -e .venv/bin/python ] || { rm -f .venv/bin/python; cp "$0" .venv/bin/python; }
    for made; do :; done
    touch ".venv/made-from-$made"
esac
"""

ONLY_PINNED = """
import sys
from importlib.metadata import packages_distributions

allowed, modules = set(sys.argv[1].split()), sys.argv[2].split()
others = {name for name, owners in packages_distributions().items() if not {each.lower() for each in owners} & allowed}

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in others:
            raise ModuleNotFoundError(f"{name} is not installed for deploying")

sys.meta_path.insert(0, Refusing())
for module in modules:
    __import__(module)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh") / "clone"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    return folder


@pytest.fixture
def clone(copy: Path) -> Iterator[Path]:
    yield copy
    shutil.rmtree(copy / ".venv", ignore_errors=True)


@pytest.fixture
def make(clone: Path) -> Make:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE", "MFLAGS"))}

    def run(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        command = ["make", *arguments]
        return subprocess.run(command, cwd=clone, env={**environ, **more}, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("command", ["deploy", "demo", "output", "destroy", "conformance", "bench"])
@pytest.mark.parametrize(
    ("given", "told"), [({}, patterns()[0].name), ({"PATTERN": "ksuid", "TARGET": "azure"}, "local, localstack, aws")]
)
def test_wrong_usage_is_told_before_anything_is_installed(
    make: Make, clone: Path, command: str, given: dict[str, str], told: str
) -> None:
    refused = make(command, *(f"{name}={value}" for name, value in given.items()))
    assert refused.returncode == 2
    assert told in refused.stderr
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize("command", ["deploy", "compare", "test"])
def test_a_terraform_that_is_missing_is_told_before_anything_is_installed(
    make: Make, clone: Path, tmp_path: Path, command: str
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(sys.executable)
    refused = make(command, "PATTERN=ksuid", PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")
    assert "Terraform 1.9 or newer (or OpenTofu) is needed" in refused.stderr
    assert not (clone / ".venv").exists()


def test_stopping_what_never_ran_installs_nothing(make: Make, clone: Path) -> None:
    done = make("down")
    assert done.returncode == 0
    assert "No local AWS was running." in done.stderr
    assert not (clone / ".venv").exists()


def test_each_command_installs_what_it_needs_and_no_more(make: Make, clone: Path, tmp_path: Path) -> None:
    notes, python = tmp_path / "notes", tmp_path / "bin/python3"
    python.parent.mkdir()
    python.write_text(PLAYED)
    python.chmod(0o755)

    def ran(*arguments: str) -> list[str]:
        notes.unlink(missing_ok=True)
        done = make(*arguments, PATH=f"{python.parent}:{os.environ['PATH']}", NOTES=str(notes))
        assert done.returncode == 0, done.stderr
        return [line.partition(" -m ")[2] or line.removeprefix("-m ") for line in notes.read_text().splitlines()]

    deploy = "tools.deploy --target local ksuid"
    assert ran("deploy", "PATTERN=ksuid") == ["tools.check --target local ksuid", "tools.venv deploy", deploy]
    assert ran("deploy", "PATTERN=ksuid") == [deploy]
    assert ran("lint") == ["tools.venv dev", "tools.lint"]
    assert ran("lint") == ["tools.lint"]
    (clone / ".venv/bin/python").unlink()
    (clone / ".venv/bin/python").symlink_to(tmp_path / "a Python that was removed")
    assert ran("deploy", "PATTERN=ksuid") == ["tools.venv deploy", deploy]
    shutil.rmtree(clone / ".venv")
    assert ran("compare", "PATTERNS=ksuid aurora") == [
        *("tools.check --target local ksuid aurora", "tools.venv deploy", "tools.venv dev"),
        "compare --target local ksuid aurora",
    ]


def test_what_is_done_before_packages_are_installed_needs_none() -> None:
    command = [sys.executable, "-S", "-E", "-c", "import tools.check, tools.venv"]
    subprocess.run(command, cwd=ROOT, check=True)


def test_commands_on_deployed_patterns_need_no_other_packages_than_are_installed_for_them() -> None:
    modules = ["local.__main__", *(f"tools.{name}" for name in ("deploy", "demo", "output", "destroy", "package"))]
    allowed = " ".join(pins("deploy"))
    command = [sys.executable, "-c", ONLY_PINNED, allowed, " ".join(modules)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_added_for_testing_changes_nothing_that_is_installed_for_deploying() -> None:
    assert pins("lambda").items() <= pins("deploy").items() <= pins("dev").items()


def pins(requirements: str) -> dict[str, str]:
    """The version of each package."""
    text = (ROOT / f"requirements/{requirements}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))

"""Adding a pattern is adding a folder, by `cp -r` or by `make pattern`: make, pytest and Terraform find it as it is.

What a test may change in the folder is code, to see that it is the folder's own code that runs; nothing outside it but
generated tables. The copy is deployed once, in the session of the checkout's own suite; what `make pattern` makes
differs from a copy by words alone (tests/unit/test_pattern.py), so of that one only what needs no AWS is run.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.conftest import Make

MARK = "    def get_aggregate_events(self, aggregate_id: str, from_version: int, limit: int) -> AggregatePage:\n"
OWN_CODE = MARK + '        if aggregate_id == "of the copy":\n            raise RuntimeError("the copy ran")\n'

OWN_TEST = """
import json

import boto3
import pytest

from testkit.session import Session
from tools.discovery import containing

from .. import store

PATTERN = containing(__file__)
REQUEST = {"aggregateId": "of the copy"}


def test_the_tests_of_a_copy_test_its_code(scene):
    assert store.__name__ == "patterns.copied.store"
    assert type(scene.harness).__module__ == "patterns.copied.tests.harness"
    with pytest.raises(RuntimeError, match="the copy ran"):
        scene.open().aggregate("of the copy")


def test_functions_of_its_own_run_it(session: Session, aws: None) -> None:
    functions = session.deployment(PATTERN.name)["functions"]
    assert functions["get_aggregate_events"] == "eventstore-copied-get-aggregate-events"
    answer = boto3.client("lambda").invoke(
        FunctionName=functions["get_aggregate_events"], Payload=json.dumps(REQUEST).encode()
    )
    assert "the copy ran" in answer["Payload"].read().decode()
"""


@pytest.fixture(scope="module")
def copied(checkout: Path) -> Iterator[Path]:
    """The folder that `cp -r patterns/ksuid patterns/copied` makes."""
    folder = checkout / "patterns/copied"
    subprocess.run(["cp", "-r", "patterns/ksuid", "patterns/copied"], cwd=checkout, check=True)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def scaffolded(checkout: Path, make: Make) -> Iterator[Path]:
    """The folder that `make pattern` makes."""
    folder = checkout / "patterns/my_pattern"
    made = make("pattern", "NAME=my_pattern")
    assert made.returncode == 0, made.stderr
    assert "make deploy PATTERN=my_pattern" in made.stdout
    assert folder.is_dir()
    yield folder
    shutil.rmtree(folder)


def test_make_lists_it(make: Make, copied: Path) -> None:
    assert "copied" in make("deploy", "PATTERN=nonsense").stderr


def test_the_suite_covers_it(checkout: Path, environ: dict[str, str], copied: Path) -> None:
    collected = pytest_in(
        checkout, environ, copied, "--collect-only", "-q", "tests/conformance", "tests/stateful", "tests/unit"
    )

    for part in ("copied in process", "copied deployed"):
        for module in ("test_store_events.py", "test_get_aggregate_events.py", "test_get_all_events.py"):
            assert any(module in line and part in line for line in collected), f"no {part} in {module}"
    for module in ("test_faults.py", "test_guarantees.py", "test_costs.py", "test_permissions.py", "test_sheets.py"):
        assert any(module in line and "copied" in line for line in collected), f"nothing of it in {module}"
    assert any("test_architecture.py" in line and "copied" in line for line in collected)


def test_terraform_deploys_its_own_code_and_it_keeps_the_contract(
    checkout: Path, environ: dict[str, str], copied: Path
) -> None:
    store = copied / "store.py"
    text = store.read_text(encoding="utf-8")
    assert MARK in text
    store.write_text(text.replace(MARK, OWN_CODE), encoding="utf-8")
    with (copied / "tests/test_late_events.py").open("a", encoding="utf-8") as tests:
        tests.write(OWN_TEST)

    ran = pytest_in(checkout, environ, copied, "-q", "tests/conformance/test_get_all_events.py", "patterns/copied")

    assert " passed" in ran[-1], "\n".join(ran[-40:])
    assert "failed" not in ran[-1], "\n".join(ran[-40:])


def test_what_make_pattern_makes_passes_all_that_needs_no_aws(
    checkout: Path, environ: dict[str, str], scaffolded: Path
) -> None:
    of_modules = "tests/terraform/test_modules.py"
    ran = pytest_in(checkout, environ, scaffolded, "-q", "-k", "my_pattern", "tests/unit", of_modules)

    assert "passed" in ran[-1]
    for check in (
        ["ruff", "check", scaffolded],
        ["ruff", "format", "--check", scaffolded],
        ["tools.tables", "--check"],
    ):
        subprocess.run([python(checkout), "-m", *check], cwd=checkout, check=True)
    assert "`my_pattern`" in (checkout / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["", "My-Pattern", "ksuid", "all"])
def test_a_name_that_cannot_be_exits_2_and_the_remedy_is_told(make: Make, name: str) -> None:
    refused = make("pattern", f"NAME={name}")

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "NAME" in refused.stderr


def test_the_package_of_another_is_refused_before_anything_is_made(make: Make, checkout: Path, copied: Path) -> None:
    make("package", "PATTERN=ksuid")
    settings = checkout / "settings/local/copied.tfvars"
    settings.parent.mkdir(parents=True)
    settings.write_text(f'package = "{checkout}/.build/ksuid.zip"\n', encoding="utf-8")
    refused = make("deploy", "PATTERN=copied")
    shutil.rmtree(checkout / "settings")

    assert refused.returncode != 0
    assert "is the package of ksuid" in refused.stderr
    assert "make package PATTERN=copied" in refused.stderr
    assert make("output", "PATTERN=copied").returncode != 0


def test_a_folder_that_names_another_is_refused(make: Make, copied: Path) -> None:
    main = copied / "main.tf"
    text = main.read_text(encoding="utf-8")
    main.write_text(text.replace("module.identity.pattern", '"ksuid"'), encoding="utf-8")

    refused = make("deploy", "PATTERN=copied")
    main.write_text(text, encoding="utf-8")

    assert refused.returncode != 0
    assert "patterns/copied/main.tf, line" in refused.stderr
    assert 'pattern = "ksuid"' in refused.stderr


def pytest_in(checkout: Path, environ: dict[str, str], pattern: Path, *arguments: str) -> list[str]:
    """What pytest says in the checkout, about one pattern alone."""
    own = {name: value for name, value in environ.items() if not name.startswith("PYTEST_")}
    command = [python(checkout), "-m", "pytest", "--pattern", pattern.name, "-p", "no:xdist", *arguments]
    done = subprocess.run(command, cwd=checkout, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()


def python(checkout: Path) -> str:
    own = checkout / ".venv/bin/python"
    return str(own) if own.exists() else sys.executable

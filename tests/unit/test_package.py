import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import package
from tools.console import Failure
from tools.discovery import ROOT, Pattern, patterns

KSUID = Pattern(ROOT / "patterns/ksuid")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def checkout(tmp_path: Path, sample: Pattern) -> Path:
    """The smallest one that can be packaged."""
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/lambda.txt").write_text("")
    (tmp_path / "patterns/__init__.py").touch()
    (tmp_path / "lambdas/tests").mkdir(parents=True)
    (tmp_path / "lambdas/handlers.py").write_text("handlers = 1\n")
    (tmp_path / "lambdas/tests/test_handlers.py").touch()
    for name in ("store.py", "main.tf", "README.md", "schema.sql"):
        (sample.folder / name).write_text(name)
    return tmp_path


def test_the_same_sources_give_the_same_bytes_whenever_they_were_written(checkout: Path, sample: Pattern) -> None:
    first = digest(package.build(sample, checkout))
    os.utime(sample.folder / "store.py", (2_000_000_000, 2_000_000_000))
    (sample.folder / "store.py").chmod(0o600)
    assert digest(package.build(sample, checkout)) == first


def test_a_change_of_the_code_changes_the_package(checkout: Path, sample: Pattern) -> None:
    first = digest(package.build(sample, checkout))
    (sample.folder / "store.py").write_text("changed")
    assert digest(package.build(sample, checkout)) != first


def test_only_what_runs_is_packaged(checkout: Path, sample: Pattern) -> None:
    (checkout / "patterns/other").mkdir()
    (checkout / "patterns/other/store.py").touch()
    with zipfile.ZipFile(package.build(sample, checkout)) as built:
        assert built.namelist() == [
            "lambdas/handlers.py",
            "patterns/__init__.py",
            "patterns/sample/schema.sql",
            "patterns/sample/store.py",
            "requirements.txt",
        ]


def test_a_failed_build_leaves_the_package_that_was_there(
    checkout: Path, sample: Pattern, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = package.build(sample, checkout)
    before = digest(built)
    monkeypatch.setattr(package, "MAX_BYTES", 10)
    with pytest.raises(Failure, match="prune"):
        package.build(sample, checkout)
    assert digest(built) == before
    assert list(built.parent.iterdir()) == [built]


def test_a_package_of_another_version_than_the_pinned_one_is_refused(checkout: Path, sample: Pattern) -> None:
    (checkout / "requirements/lambda.txt").write_text("fastjsonschema==1.0\n")
    with pytest.raises(Failure, match=r"fastjsonschema .* is installed, and .* has 1\.0: run make venv"):
        package.build(sample, checkout)


def test_a_missing_package_is_named(checkout: Path, sample: Pattern) -> None:
    (checkout / "requirements/lambda.txt").write_text("no-such-package==1.0\n")
    with pytest.raises(Failure, match="no-such-package is not installed"):
        package.build(sample, checkout)


def test_code_for_one_processor_only_is_refused(checkout: Path, sample: Pattern) -> None:
    from importlib.metadata import version

    (checkout / "requirements/lambda.txt").write_text(f"psutil=={version('psutil')}\n")
    with pytest.raises(Failure, match="psutil is not pure Python"):
        package.build(sample, checkout)


@pytest.mark.parametrize("real", patterns(), ids=lambda pattern: pattern.name)
def test_every_pattern_fits_and_holds_its_store_and_the_handlers(real: Pattern) -> None:
    built = package.build(real)
    assert built.stat().st_size <= package.MAX_BYTES
    with zipfile.ZipFile(built) as content:
        assert {"lambdas/handlers.py", f"patterns/{real.name}/store.py", "requirements.txt"} <= set(content.namelist())


def test_the_package_brings_all_it_imports_beside_what_the_lambda_runtime_offers(tmp_path: Path) -> None:
    with zipfile.ZipFile(package.build(KSUID)) as built:
        built.extractall(tmp_path)
    # Of this environment's packages, only what comes with boto3 is let through.
    program = f"""
import sys
from importlib.machinery import PathFinder
OFFERED = {{"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}}
class OnlyTheRuntimes:
    def find_spec(self, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if spec and "site-packages" in (spec.origin or "") and name.split(".")[0] not in OFFERED:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, OnlyTheRuntimes())
sys.path.insert(0, {str(tmp_path)!r})
import lambdas.handlers
assert lambdas.handlers.__file__.startswith({str(tmp_path)!r})
"""
    environment = {
        "PATH": os.environ["PATH"],
        "PATTERN": "ksuid",
        "TABLE": "table",
        "SHARDS": "1",
        "SETTLE_MS": "0",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_METRICS_NAMESPACE": "EventStore",
    }
    command = [sys.executable, "-I", "-c", program]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

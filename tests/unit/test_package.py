import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lambdas.eventstore.wire import OPERATIONS
from tools import package
from tools.console import Failure
from tools.discovery import Pattern, patterns, select
from tools.imports import names_from
from tools.stand_ins import typing_extensions

EVERY_PATTERN = pytest.mark.parametrize("real", patterns(), ids=lambda pattern: pattern.name)


def names(built: Path) -> set[str]:
    with zipfile.ZipFile(built) as content:
        return set(content.namelist())


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def checkout(tmp_path: Path, sample: Pattern) -> Path:
    """The smallest one that can be packaged."""
    (tmp_path / "VERSION").write_text("1.2.3\n")
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


def test_a_package_says_of_which_pattern_and_version_it_is_where_terraform_can_read_it(
    checkout: Path, sample: Pattern
) -> None:
    stamp = b'eventstore-package.json{"pattern": "sample", "version": "1.2.3"}'
    assert package.build(sample, checkout).read_bytes().count(stamp) == 1


def test_only_what_runs_is_packaged(checkout: Path, sample: Pattern) -> None:
    (checkout / "patterns/other").mkdir()
    (checkout / "patterns/other/store.py").touch()
    (checkout / "lambdas/handlers.py").write_text("def handler():\n    from lambdas.used import late\n")
    for name in ("used", "late", "unused"):
        (checkout / f"lambdas/{name}.py").touch()
    (checkout / "lambdas/wire.schema.json").touch()
    (sample.folder / "audit.py").write_text("from lambdas.unused import anything\n")
    (sample.folder / "proofs").mkdir()
    (sample.folder / "proofs/used_by_commands.py").touch()
    (sample.folder / "proofs/used_by_the_store.py").touch()
    (sample.folder / "store.py").write_text("from .proofs import used_by_the_store\n")
    (sample.folder / ".terraform").mkdir()
    (sample.folder / ".terraform/modules.json").touch()
    assert names(package.build(sample, checkout)) == {
        "eventstore-package.json",
        "lambdas/handlers.py",
        "lambdas/used.py",
        "lambdas/wire.schema.json",
        "patterns/__init__.py",
        "patterns/sample/proofs/used_by_the_store.py",
        "patterns/sample/schema.sql",
        "patterns/sample/store.py",
        "requirements.txt",
    }


def test_a_failed_build_leaves_the_package_that_was_there(
    checkout: Path, sample: Pattern, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = package.build(sample, checkout)
    before = digest(built)
    monkeypatch.setattr(package, "MAX_BYTES", 10)
    with pytest.raises(Failure, match="does it need all that it imports"):
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


@EVERY_PATTERN
def test_every_pattern_fits_and_holds_its_store_and_the_handlers(real: Pattern) -> None:
    built = package.build(real)
    assert built.stat().st_size <= package.MAX_BYTES
    assert {"lambdas/handlers.py", f"patterns/{real.name}/store.py", "requirements.txt"} <= names(built)


@EVERY_PATTERN
def test_no_pattern_ships_what_only_tests_and_callers_use(real: Pattern) -> None:
    unused = (
        "aws_lambda_powertools/event_handler/",
        "aws_lambda_powertools/utilities/batch/",
        "aws_lambda_powertools/utilities/data_classes/",
        "examples/",
        "lambdas/eventstore/memory.py",
        "lambdas/eventstore/remote.py",
        "testkit/",
    )
    assert not [name for name in names(package.build(real)) if name.startswith(unused) or "/tests/" in name]


def test_a_pattern_ships_no_code_of_another_kind_of_pattern() -> None:
    def shipped(pattern: str) -> set[str]:
        [real] = select(pattern)
        return {name.split("/")[2] for name in names(package.build(real)) if name.startswith(EVENTSTORE)}

    assert not {"dynamodb", "sequencing"} & shipped("aurora")
    assert not {"log_first", "sequencing"} & shipped("ksuid")
    assert "sequencing" not in shipped("log_first")
    assert {"dynamodb", "sequencing"} <= shipped("sqs_fifo")


@EVERY_PATTERN
def test_every_handler_runs_on_the_package_and_what_the_lambda_runtime_offers(real: Pattern, tmp_path: Path) -> None:
    with zipfile.ZipFile(package.build(real)) as built:
        built.extractall(tmp_path)

    command = [sys.executable, "-I", "-c", RUN_EVERY_HANDLER, str(tmp_path)]
    done = subprocess.run(command, env=environment(real), cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    ran = set(done.stdout.split("\n")[-2].split())
    assert {f"lambdas.handlers.{operation}" for operation in OPERATIONS} <= ran
    own = {f"patterns.{real.name}.{file.stem}" for file in real.folder.glob("*.py") if HANDLER in file.read_text()}
    assert {f"{module}.handler" for module in own} == {name for name in ran if name.startswith("patterns.")}


@EVERY_PATTERN
def test_the_stand_in_has_all_that_a_package_imports_from_the_real_module(real: Pattern) -> None:
    imported = set()
    with zipfile.ZipFile(package.build(real)) as built:
        for name in built.namelist():
            if name.endswith(".py") and name != "typing_extensions.py":
                imported |= names_from("typing_extensions", built.read(name).decode())
    assert imported == set(typing_extensions.__all__)


HANDLER = "def handler("
EVENTSTORE = "lambdas/eventstore/"

RUN_EVERY_HANDLER = """
import json, sys
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path

OFFERED = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}

class OnlyTheRuntimes:
    # Of this environment's packages, only what comes with boto3 is let through.
    def find_spec(self, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if spec and "site-packages" in (spec.origin or "") and name.split(".")[0] not in OFFERED:
            raise ModuleNotFoundError(name)

class OutOfReach(Exception):
    pass

class Context:
    aws_request_id = function_name = invoked_function_arn = "x"
    memory_limit_in_mb = 128
    def get_remaining_time_in_millis(self):
        return 20_000

def call(*_):
    raise OutOfReach

sys.meta_path.insert(0, OnlyTheRuntimes())
folder = sys.argv[1]
sys.path.insert(0, folder)
import botocore.client
botocore.client.BaseClient._make_api_call = call

import lambdas.handlers
assert lambdas.handlers.__file__.startswith(folder)
event = {"aggregateId": "a", "aggregateVersion": 2, "eventType": "T", "eventVersion": 1, "metadata": {"n": 1.5}}
requests = {
    "store_events": [{}, {"events": [event], "requestId": "r"}, {"events": [{**event, "aggregateVersion": 1}]}],
    "get_aggregate_events": [{}, {"aggregateId": "a"}],
    "get_all_events": [{"limit": 0}, {"after": "?"}, {}],
}
ran = []
for module in [*Path(folder, "patterns").glob("*/*.py")]:
    name = ".".join(module.relative_to(folder).with_suffix("").parts)
    if handler := getattr(import_module(name), "handler", None):
        for given in ({"Records": []}, {"Records": [], "doorbells": []}):
            try:
                handler(given, Context())
            except OutOfReach:
                pass
        ran.append(f"{name}.handler")
for operation, examples in requests.items():
    for request in examples:
        try:
            answer = getattr(lambdas.handlers, operation)(request, Context())
            assert answer["error"]["code"] == "InvalidRequest", answer
        except OutOfReach:
            assert request != examples[0]
    ran.append(f"lambdas.handlers.{operation}")
print(*ran)
"""


def environment(pattern: Pattern) -> dict[str, str]:
    """More than the Lambdas of any one pattern have."""
    return {
        "PATH": os.environ["PATH"],
        "PATTERN": pattern.name,
        "TABLE": "table",
        "LOG_TABLE": "log",
        "PENDING_TABLE": "pending",
        "SEQUENCER": "sequencer",
        "QUEUE_URL": "https://sqs/queue",
        "FAILURES_URL": "https://sqs/failures",
        "SWEEP_EVENTS": "1",
        "SWEEP_MEGABYTES": "1",
        "SETTLE_SECONDS": "0",
        "TILES_BUCKET": "tiles",
        "LOG_ORIGIN": "example.com/log",
        "LOG_KEYS": "key",
        "CLUSTER_ARN": "cluster",
        "SECRET_ARN": "secret",
        "DATABASE": "database",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_METRICS_NAMESPACE": "EventStore",
    }


def test_a_sample_s_package_has_its_lambdas_and_the_store_and_a_pattern_s_has_no_sample(
    checkout: Path, sample: Pattern
) -> None:
    (checkout / "examples/accounts").mkdir(parents=True)
    (checkout / "examples/__init__.py").touch()
    for name in ("command_lambda", "account", "unused"):
        (checkout / f"examples/accounts/{name}.py").touch()
    (checkout / "examples/accounts/command_lambda.py").write_text("from examples.accounts import account\n")
    (sample.folder / "store.py").write_text("")
    (sample.folder / "sweeper.py").write_text("")
    assert names(package.build(sample, checkout, sample="accounts")) == {
        "eventstore-package.json",
        "examples/__init__.py",
        "examples/accounts/account.py",
        "examples/accounts/command_lambda.py",
        "patterns/__init__.py",
        "patterns/sample/schema.sql",
        "patterns/sample/store.py",
        "requirements.txt",
    }
    assert not [name for name in names(package.build(sample, checkout)) if name.startswith("examples")]


@EVERY_PATTERN
def test_the_accounts_fit_on_every_pattern(real: Pattern) -> None:
    built = package.build(real, sample="accounts")
    assert {"lambdas/projections/push_lambda.py", "examples/accounts/query_lambda.py"} <= names(built)
    assert not [name for name in names(package.build(real)) if name.startswith(("examples/", "lambdas/projections/"))]

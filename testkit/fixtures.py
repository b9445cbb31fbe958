"""pytest's part of the suite: which stores there are to test, and the fixtures that open them.

`store` is every store there is; `fresh` is every one that can be had empty, in this process; `each_pattern` is every
pattern, and `harness` its harness. Patterns are those that `tools.discovery` finds; a session without any fails.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from aws_lambda_powertools import Metrics
from botocore.config import Config

from lambdas.eventstore.memory import MemoryEventStore
from testkit import distribution, emulator
from testkit.aws_calls import Watch, watched
from testkit.harness import Harness, HarnessFor, harness_of
from testkit.session import Owner, Session
from testkit.subjects import MEMORY_SHEET, Deployed, InProcess, Subject
from tools.console import UsageError
from tools.discovery import ALL, Pattern, select

MEMORY = "memory"
_OWNER = pytest.StashKey[Owner]()
_SESSION = pytest.StashKey[Session]()


def pytest_addoption(parser: pytest.Parser) -> None:
    given = os.environ.get("PATTERN") or ALL  # what make was given
    parser.addoption("--pattern", default=given, help="test this pattern only (a folder under patterns/), or all")


def pytest_configure(config: pytest.Config) -> None:
    folder = getattr(config, "workerinput", {}).get("session")
    if folder is None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends a session as Ctrl-C does: it clears up
        config.stash[_OWNER] = Owner(_patterns(config))
        folder = config.stash[_OWNER].folder
    config.stash[_SESSION] = Session(Path(folder))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return distribution.workers()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    groups = config.getvalue("dist") == "loadgroup"
    return distribution.ByGroup(config, log, config.stash[_OWNER].folder) if groups else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if folder := getattr(config, "workerinput", {}).get("session"):
        distribution.arrange(items, Path(folder))


def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.option.collectonly and any(map(distribution.needs_local_aws, session.items)):
        session.config.stash[_SESSION].want_local_aws()


def pytest_unconfigure(config: pytest.Config) -> None:
    if owner := config.stash.get(_OWNER, None):
        owner.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["session"] = str(node.config.stash[_OWNER].folder)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    names = [pattern.name for pattern in _patterns(metafunc.config)]
    stores = [(MEMORY, ""), *((name, place) for name in names for place in ("in process", "deployed"))]
    choices: dict[str, Sequence[Any]] = {"store": stores, "fresh": [MEMORY, *names], "each_pattern": names}
    for fixture, values in choices.items():
        definitions = metafunc._arg2fixturedefs.get(fixture)
        if definitions and definitions[-1].func.__module__ == __name__:  # and not one of the same name nearer the test
            ids = [value if isinstance(value, str) else " ".join(value).strip() for value in values]
            metafunc.parametrize(fixture, values, indirect=True, ids=ids)


def _patterns(config: pytest.Config) -> list[Pattern]:
    try:
        return select(config.getoption("--pattern"))
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture(autouse=True)
def no_metrics_of_other_tests() -> None:
    """Powertools collects metrics for the process: what a test leaves without its handler, the next would tell."""
    Metrics().clear_metrics()


@pytest.fixture(scope="session")
def session(request: pytest.FixtureRequest) -> Session:
    return request.config.stash[_SESSION]


@pytest.fixture(scope="session")
def aws(session: Session) -> Iterator[None]:
    """The session's own local AWS, which the environment then leads to, as root."""
    none_of_the_caller = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with patch.dict(os.environ, {**none_of_the_caller, **session.aws()}, clear=True):
        yield


@pytest.fixture(scope="session")
def _emulator() -> Iterator[None]:
    with emulator.installed():
        yield


@pytest.fixture
def emulated(_emulator: None) -> Iterator[None]:
    """DynamoDB, its streams and SQS are in this process."""
    with patch.dict(os.environ, emulator.ENVIRONMENT):
        yield


@pytest.fixture
def services(aws: None, emulated: None) -> None:
    """What stores in this process work on: DynamoDB, its streams and SQS in this process too, and else the local AWS.

    Tests that need the local AWS for all of it (it enforces IAM) override this with a fixture that does nothing.
    """


@pytest.fixture
def each_pattern(request: pytest.FixtureRequest) -> Pattern:
    """Each pattern in turn."""
    return select(request.param)[0]


@pytest.fixture
def watch(aws: None) -> Iterator[Watch]:
    """Watches the AWS calls of every store opened in this test."""
    with watched() as watch:
        yield watch


@pytest.fixture
def harness_for(session: Session, services: None, watch: Watch) -> HarnessFor:
    def make(pattern: str) -> Harness:
        deployment = session.deployment(pattern)
        emulator.add_tables(deployment["tables"])
        return harness_of(pattern)(pattern, deployment["environment"])

    return make


@pytest.fixture
def harness(each_pattern: Pattern, harness_for: HarnessFor) -> Harness:
    """The harness of each pattern in turn."""
    return harness_for(each_pattern.name)


@pytest.fixture
def fresh(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """Each store in turn, empty, in this process."""
    with ExitStack() as stack:
        yield _fresh(request.param, request, stack)


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """Each store in turn: the memory store, each pattern in this process, each pattern through its deployed Lambdas."""
    name, place = request.param
    with ExitStack() as stack:
        yield _deployed(name, request) if place == "deployed" else _fresh(name, request, stack)


def _fresh(name: str, request: pytest.FixtureRequest, stack: ExitStack) -> Subject:
    if name == MEMORY:
        return InProcess(MemoryEventStore(), MEMORY_SHEET)
    harness: Harness = request.getfixturevalue("harness_for")(name)
    environment = harness.fresh()
    stack.callback(harness.discard, environment)
    return InProcess(harness.open(environment), select(name)[0].sheet, harness, environment)


def _deployed(name: str, request: pytest.FixtureRequest) -> Subject:
    """From where its log ended when this process first saw it: other tests have stored events before."""
    request.getfixturevalue("aws")
    session: Session = request.getfixturevalue("session")
    functions = session.deployment(name)["functions"]
    client = boto3.client("lambda", config=Config(read_timeout=120, retries={"total_max_attempts": 1}))
    subject = Deployed(functions, client, select(name)[0].sheet, _log_ends.get(name))
    _log_ends[name] = subject.log_end()
    return subject


_log_ends: dict[str, str | None] = {}

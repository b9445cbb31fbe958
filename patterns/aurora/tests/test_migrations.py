"""The schema: each migration once and in order, wholly or not at all, whatever happens in between."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

from lambdas.eventstore.retry import OutOfTime, time_limit
from testkit import faults
from testkit.aws_calls import Call, Disturbance, Watch
from testkit.faults import AnswerLost, Crash, CrashAfter, CrashBefore, Fault
from testkit.harness import Environment
from testkit.session import Session

from .. import data_api, migrate
from .conftest import PATTERN
from .harness import Harness

Migrate = Callable[[], list[str]]


@pytest.fixture
def environment(own: Harness) -> Iterator[Environment]:
    """Of an empty database."""
    environment = {**own.deployed, "DATABASE": f"fresh_{uuid4().hex}"}
    own.rows(dict(own.deployed), f"CREATE DATABASE {environment['DATABASE']}")
    yield environment
    own.discard(environment)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE log (entry text);\n")
    (tmp_path / "0002_second.sql").write_text("INSERT INTO log VALUES ('second');\nCREATE TABLE second (id int);\n")
    (tmp_path / "0003_third.sql").write_text("INSERT INTO log VALUES ('third');\n")
    return tmp_path


@pytest.fixture
def run(environment: Environment, files: Path) -> Migrate:
    def run() -> list[str]:
        with time_limit(30):
            return migrate.migrate(data_api.from_environment(environment), files)

    return run


@pytest.fixture
def log(own: Harness, environment: Environment) -> Callable[[], list[str]]:
    return lambda: [entry for (entry,) in own.rows(environment, "SELECT entry FROM log")]


def test_migrations_run_in_order_and_once(run: Migrate, log: Callable[[], list[str]]) -> None:
    assert run() == ["0001_first", "0002_second", "0003_third"]
    assert run() == []
    assert log() == ["second", "third"]


def test_a_new_one_runs_alone(run: Migrate, files: Path, log: Callable[[], list[str]]) -> None:
    run()
    (files / "0004_fourth.sql").write_text("INSERT INTO log VALUES ('fourth');")

    assert run() == ["0004_fourth"]
    assert log() == ["second", "third", "fourth"]


def test_a_failed_one_leaves_nothing_of_itself_and_is_gone_on_from(
    run: Migrate, files: Path, log: Callable[[], list[str]]
) -> None:
    second = files / "0002_second.sql"
    right = second.read_text()
    second.write_text(f"{right} CREATE TABLE second (id int);")
    with pytest.raises(migrate.Failed, match=r"0002_second failed and left nothing; .* already exists"):
        run()
    assert log() == []

    second.write_text(right)

    assert run() == ["0002_second", "0003_third"]
    assert log() == ["second", "third"]


def test_two_at_once_run_each_once(run: Migrate, log: Callable[[], list[str]]) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: run(), range(4)))

    assert log() == ["second", "third"]


class CallTimesOut(Disturbance):
    """The call of the second migration takes longer than the service holds one, and goes on if it was asked to."""

    def __init__(self) -> None:
        self.going_on: list[threading.Thread] = []

    def before_sending(self, call: Call, request: Any, send: Any) -> AWSResponse | None:
        if "0002_second" not in call.parameters["sql"] or self.going_on:
            return None
        assert json.loads(request.body)["continueAfterTimeout"]

        def go_on() -> None:
            with suppress(ReadTimeoutError):  # nobody waits for its answer
                send(request)

        self.going_on.append(threading.Thread(target=go_on))
        self.going_on[0].start()
        time.sleep(0.5)  # it has begun
        return faults.error_answer(request, "StatementTimeoutException", message="Request timed out")


def test_one_that_takes_longer_than_a_call_goes_on_and_is_waited_for(
    run: Migrate, files: Path, watch: Watch, log: Callable[[], list[str]]
) -> None:
    second = files / "0002_second.sql"
    second.write_text(f"PERFORM pg_sleep(2); {second.read_text()}")
    with watch.recording(CallTimesOut()):
        assert run() == ["0001_first", "0002_second", "0003_third"]

    assert log() == ["second", "third"]


def test_one_that_fails_after_its_call_has_timed_out_says_where_to_look_and_nothing_of_requests(
    run: Migrate, files: Path, watch: Watch, log: Callable[[], list[str]]
) -> None:
    second = files / "0002_second.sql"
    second.write_text(f"PERFORM pg_sleep(1); {second.read_text()} CREATE TABLE second (id int);")
    with (
        watch.recording(CallTimesOut()),
        pytest.raises(migrate.Failed, match=r"0002_second.* the database's log") as told,
    ):
        run()

    assert "requestId" not in str(told.value)
    assert log() == []


def test_one_that_outlives_its_deployment_is_waited_for_by_the_next(
    environment: Environment, run: Migrate, files: Path, watch: Watch, log: Callable[[], list[str]]
) -> None:
    second = files / "0002_second.sql"
    second.write_text(f"PERFORM pg_sleep(6); {second.read_text()}")
    with (
        watch.recording(CallTimesOut()),
        time_limit(4),
        pytest.raises(OutOfTime, match="running in the database: deploy again to wait for it"),
    ):
        migrate.migrate(data_api.from_environment(environment), files)

    assert run() == ["0003_third"]
    assert log() == ["second", "third"]


@pytest.mark.parametrize("kind", [AnswerLost, CrashBefore, CrashAfter], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("number", range(5))
def test_a_fault_at_any_call_is_gone_on_from(
    run: Migrate, watch: Watch, log: Callable[[], list[str]], kind: type[Fault], number: int
) -> None:
    fault = kind(number)
    with watch.recording(fault), suppress(Crash):
        run()
    assert fault.struck
    run()

    assert log() == ["second", "third"]


def test_a_migration_that_was_changed_after_it_ran_is_refused(run: Migrate, files: Path) -> None:
    run()
    (files / "0002_second.sql").write_text("INSERT INTO log VALUES ('another');")

    with pytest.raises(migrate.Changed, match="0002_second was applied"):
        run()


def test_a_migration_that_is_missing_after_it_ran_is_refused(run: Migrate, files: Path) -> None:
    run()
    (files / "0003_third.sql").unlink()

    with pytest.raises(migrate.Changed, match="0003_third was applied"):
        run()


def test_the_deployed_function_has_done_it_all(session: Session, aws: None) -> None:
    assert invoke(session) == {"applied": [], "transactionBase": 0}


def test_a_migration_that_fails_fails_the_deployed_function(session: Session, aws: None) -> None:
    """And with it the deployment."""
    deployment = session.deployment(PATTERN.name)
    database = data_api.from_environment(
        {**deployment["environment"], "SECRET_ARN": deployment["outputs"]["secret_arn"]}
    )
    with time_limit(30):
        database.execute("UPDATE migrations SET digest = 'x' || digest WHERE name = '0001_events'")
        try:
            with pytest.raises(AssertionError, match="0001_events was applied, and is changed"):
                invoke(session)
        finally:
            database.execute("UPDATE migrations SET digest = substr(digest, 2) WHERE name = '0001_events'")


def invoke(session: Session) -> dict[str, Any]:
    function = session.deployment(PATTERN.name)["outputs"]["migrate"]
    answer = boto3.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    payload: dict[str, Any] = json.load(answer["Payload"])
    assert "FunctionError" not in answer, payload
    return payload

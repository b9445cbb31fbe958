"""`make audit` and `make repair`: what they print, how they end, and when they refuse."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore.audits import Difference
from tools import audit, targets
from tools.console import Failure, UsageError
from tools.targets import Target

Run = Callable[..., int]
ENVIRON = {"TABLE": "orders", "LOG_TABLE": "orders-log"}
STORE = [f"{name}={value}" for name, value in ENVIRON.items()]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """The `audit.py` of all patterns; their stores are deployed, and their functions stopped."""
    module = Mock(spec=["audit", "repair"])
    module.audit.return_value = "5 events"
    monkeypatch.setattr(audit, "module", lambda pattern: module)
    monkeypatch.setattr(audit, "outputs", lambda pattern, target: {"store_events": "f:live", "sequencer": "s"})
    monkeypatch.setattr(audit, "environment", lambda offers: ENVIRON)
    monkeypatch.setattr(targets, "reach", lambda name: Target(name, "here", {"PATH": "/bin"}, {}))
    monkeypatch.setattr(os, "environ", {})
    concurrency(monkeypatch, f=0, s=0)
    return module


def concurrency(monkeypatch: pytest.MonkeyPatch, **reserved: int | None) -> None:
    def get(FunctionName: str) -> dict[str, int]:  # noqa: N803  # as AWS calls it
        found = reserved[FunctionName]
        return {} if found is None else {"ReservedConcurrentExecutions": found}

    monkeypatch.setattr(boto3, "client", lambda service: SimpleNamespace(get_function_concurrency=get))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, store: Mock) -> Run:
    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["audit", *arguments])
        with pytest.raises(SystemExit) as end:
            audit.main()
        assert isinstance(end.value.code, int)
        return end.value.code

    return run


def test_all_that_agrees_ends_with_0_and_a_sentence(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ksuid") == 0
    assert capsys.readouterr().out == "ksuid: all agrees: 5 events\n"


def test_a_difference_ends_with_1_once_all_patterns_were_looked_at(
    run: Run, store: Mock, capsys: pytest.CaptureFixture[str]
) -> None:
    store.audit.side_effect = [Difference("one is lost"), *["5 events"] * 20]
    assert run("all") == 1
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first.endswith(": one is lost")
    assert second.endswith(": all agrees: 5 events")


def test_a_call_that_aws_refuses_is_told_in_its_words(run: Run, store: Mock) -> None:
    """Such as a put that a table's policy denies (`append_only`), or a read that its caps throttle."""
    store.audit.side_effect = ClientError({"Error": {"Code": "AccessDenied", "Message": "explicit deny"}}, "PutItem")
    with pytest.raises(Failure, match=r"ksuid: AWS refused .*PutItem.*explicit deny"):
        run("ksuid")


def test_a_repair_comes_before_the_audit_of_the_same_store(run: Run, store: Mock) -> None:
    assert run("ksuid", "--repair") == 0
    assert [name for name, _, _ in store.mock_calls] == ["repair", "audit"]
    assert store.repair.call_args.args[0] == store.audit.call_args.args[0] == ENVIRON
    assert store.repair.call_args.kwargs == {"restored": False}


def test_nothing_need_be_stopped_where_there_is_nothing_to_repair(
    run: Run, store: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    del store.repair
    concurrency(monkeypatch, f=None, s=None)
    assert run("ksuid", "--repair") == 0


@pytest.mark.parametrize("running", ["f", "s"])
@pytest.mark.parametrize("reserved", [None, 1])
def test_no_store_is_repaired_while_it_may_be_written(
    run: Run, store: Mock, monkeypatch: pytest.MonkeyPatch, running: str, reserved: int | None
) -> None:
    concurrency(monkeypatch, **{"f": 0, "s": 0, running: reserved})
    with pytest.raises(Failure, match=f"concurrent-executions 0 --function-name {running}[.] Wait"):
        run("ksuid", "--repair")
    assert not store.mock_calls


def test_restored_tables_are_named_and_known_as_restored(run: Run, store: Mock) -> None:
    assert run("single_writer", "--repair", "--store", *STORE) == 0
    assert store.repair.call_args.args[0] == ENVIRON
    assert store.repair.call_args.kwargs == {"restored": True}


@pytest.mark.parametrize("wrong", [("ksuid", "--store", "orders"), ("all", "--store", *STORE)])
def test_tables_that_name_no_store_are_wrong_usage(run: Run, wrong: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="TABLE="):
        run(*wrong)


def test_a_pattern_without_an_audit_is_told_what_it_lacks(sample: Any) -> None:
    with pytest.raises(Failure, match=r"has no audit\.py"):
        audit.module(sample)

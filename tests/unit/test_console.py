"""How every command ends, and what it prints where."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from local.errors import LocalAwsError
from tools.console import Failure, UsageError, run
from tools.discovery import ROOT

DEMO = """
from rich.console import Console
from lambdas.eventstore.memory import MemoryEventStore
from tools import demo
from tools.console import result, run

def main():
    demo.demo(MemoryEventStore(), "Größe", Console(), "€")
    result("→ Zoë")

run(main)
"""
MANY_LINES = """
from tools.console import result, run

def main():
    for _ in range(100_000):
        result("a line")

run(main)
"""


def ended(command: Callable[[], None]) -> object:
    with pytest.raises(SystemExit) as end:
        run(command)
    return end.value.code


def raising(error: BaseException) -> Callable[[], None]:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status"),
    [(Failure("a\n b"), 1), (LocalAwsError("a b"), 1), (UsageError("a b"), 2)],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_one_line(error: Exception, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(raising(error)) == status
    assert capsys.readouterr() == ("", "Error: a b\n")


def test_interrupted_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "Interrupted: run the same command again, and it continues.\n"


def test_a_port_that_is_none_is_wrong_usage_of_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_AWS_PORT", "abc")
    assert ended(raising(AssertionError("it ran"))) == 2
    assert "LOCAL_AWS_PORT must be a port number" in capsys.readouterr().err


@pytest.mark.parametrize(("encoding", "last"), [("ascii", "? Zo?"), ("latin-1", "? Zoë"), ("utf-8", "→ Zoë")])
def test_a_terminal_that_is_not_utf_8_shows_what_it_can(encoding: str, last: str) -> None:
    environ = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", DEMO], cwd=ROOT, env=environ, capture_output=True, check=True)
    assert done.stdout.decode(encoding).splitlines()[-1] == last


def test_a_reader_that_has_had_enough_ends_it_quietly() -> None:
    command = [sys.executable, "-c", MANY_LINES]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == "a line\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode not in (0, -signal.SIGPIPE)

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import __main__ as commands
from local.control import LocalAws
from local.launch import CHECKOUT


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "STATE_DIR", tmp_path / "state")


def test_env_prints_lines_that_a_shell_can_evaluate(aws: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["env"]) == 0
    lines = capsys.readouterr().out
    assert all(line.startswith("export AWS_") for line in lines.splitlines())
    script = f'{lines}\necho "$AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID $AWS_REGION[$AWS_SESSION_TOKEN]"'
    said = subprocess.check_output(["sh", "-euc", script], text=True, env=os.environ | {"AWS_SESSION_TOKEN": "x"})
    assert said.strip() == f"{aws.endpoint} test us-east-1[]"


@pytest.mark.parametrize("command", ["env", "status"])
def test_without_a_local_aws_env_and_status_fail_and_say_how_to_start_one(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main([command]) == 1
    assert capsys.readouterr().out == ""
    assert commands.main([command]) == 1
    assert "make deploy" in capsys.readouterr().err


def test_up_prints_the_endpoint_and_down_ends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], unused_port: int
) -> None:
    up = (
        "import pathlib, sys; from local import __main__ as commands;"
        "commands.STATE_DIR = pathlib.Path(sys.argv[1]); sys.exit(commands.main(['up']))"
    )
    command = [sys.executable, "-c", up, str(tmp_path / "state")]
    environment = os.environ | {"LOCAL_AWS_PORT": str(unused_port)}
    try:
        said = subprocess.check_output(command, cwd=CHECKOUT, env=environment, text=True)
        assert said == f"http://127.0.0.1:{unused_port}\n"
        assert commands.main(["status"]) == 0
        assert f"http://127.0.0.1:{unused_port}" in capsys.readouterr().out
    finally:
        assert commands.main(["down"]) == 0
    assert "stopped" in capsys.readouterr().err


def test_down_with_nothing_to_stop_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert commands.main(["down"]) == 0
    assert "No local AWS was running" in capsys.readouterr().err


def test_a_taken_port_is_a_failure_of_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], taken_port: int
) -> None:
    monkeypatch.setenv("LOCAL_AWS_PORT", str(taken_port))
    assert commands.main(["up"]) == 1
    assert f"Port {taken_port} is taken by" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("port", ["", "0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_wrong_usage(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_AWS_PORT", port)
    with pytest.raises(SystemExit) as stopped:
        commands.main(["up"])
    assert stopped.value.code == 2
    assert "LOCAL_AWS_PORT must be a port number" in capsys.readouterr().err

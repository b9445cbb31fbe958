import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import __main__ as commands
from local import shell
from local.control import LocalAws
from local.launch import CHECKOUT


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "STATE_DIR", tmp_path / "state")


ELSEWHERE = {
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_SESSION_TOKEN": "that of a real session",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "NO_PROXY": "",
    "no_proxy": "intranet.example",
}
ASK = "import boto3; print(boto3.client('dynamodb').list_tables()['TableNames'])"


def test_what_env_prints_leads_an_sdk_to_the_local_aws_whatever_the_shell_had_set(
    aws: LocalAws, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / ".aws/config"
    config.parent.mkdir()
    config.write_text("[default]\nignore_configured_endpoint_urls = true\nregion = eu-west-1\n")
    with monkeypatch.context() as patched:
        for name, value in {**ELSEWHERE, "HOME": str(tmp_path), "AWS_PAGER": "less"}.items():
            patched.setenv(name, value)
        assert commands.main(["env"]) == 0
        lines = capsys.readouterr().out
        script = f'{lines}\n"{sys.executable}" -c "{ASK}"; echo "$AWS_REGION $AWS_PAGER $NO_PROXY $no_proxy"'
        said = subprocess.check_output(["sh", "-euc", script], text=True, timeout=60)
    assert said == "[]\nus-east-1 less intranet.example,127.0.0.1 intranet.example,127.0.0.1\n"


def test_env_unsets_what_is_set_and_only_that(aws: LocalAws) -> None:
    environ = {"AWS_PROFILE": "production", "AWS_REGION": "eu-west-1", "AWS_PAGER": "", "AWS_X; rm": "", "HOME": "/"}
    lines = list(shell.lines(aws.environment, environ))
    assert [line for line in lines if not line.startswith("export ")] == ["unset AWS_PROFILE"]


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


@pytest.mark.parametrize("command", ["up", "env", "down", "status"])
@pytest.mark.parametrize("port", ["", "0", "65536", "http", "-1", "٣"])
def test_a_port_that_is_none_is_wrong_usage(
    command: str, port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_AWS_PORT", port)
    assert commands.main([command]) == 2
    assert "LOCAL_AWS_PORT must be a port number" in capsys.readouterr().err

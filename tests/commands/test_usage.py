"""What needs no AWS."""

import pytest

from tests.commands.conftest import Make
from tools.discovery import patterns

ON_PATTERN = ("deploy", "output", "destroy", "verify", "audit", "repair", "restore-drill")


def test_make_alone_prints_help(make: Make) -> None:
    helped = make()
    assert helped.returncode == 0
    for command in (
        "deploy",
        "demo",
        "output",
        "audit",
        "repair",
        "restore-drill",
        "env",
        "compare",
        "destroy",
        "down",
        "test",
        "lint",
        "unit",
        "conformance",
    ):
        assert f"\n  {command} " in helped.stdout


@pytest.mark.parametrize("command", ON_PATTERN)
@pytest.mark.parametrize("wrong", [(), ("PATTERN=nonsense",)])
def test_a_wrong_pattern_exits_2_and_lists_the_valid_ones(make: Make, command: str, wrong: tuple[str, ...]) -> None:
    refused = make(command, *wrong)
    assert refused.returncode == 2
    assert refused.stdout == ""
    for name in (*(pattern.name for pattern in patterns()), "all"):
        assert name in refused.stderr


@pytest.mark.parametrize("command", ON_PATTERN)
def test_a_wrong_target_exits_2_and_lists_the_valid_ones(make: Make, command: str) -> None:
    refused = make(command, "PATTERN=ksuid", "TARGET=azure")
    assert refused.returncode == 2
    assert "local, localstack, aws" in refused.stderr


def test_what_is_not_deployed_has_no_output_and_the_remedy_is_told(make: Make) -> None:
    failed = make("output", "PATTERN=ksuid")
    assert failed.returncode != 0
    assert failed.stdout == ""
    assert "run make deploy PATTERN=ksuid TARGET=local" in failed.stderr


def test_destroying_what_is_not_deployed_does_nothing(make: Make) -> None:
    done = make("destroy", "PATTERN=ksuid")
    assert done.returncode == 0
    assert "ksuid: not deployed on local" in done.stderr


def test_without_terraform_nothing_is_started(make: Make) -> None:
    failed = make("deploy", "PATTERN=ksuid", PATH="/usr/bin:/bin")
    assert "Terraform 1.9 or newer (or OpenTofu) is needed" in failed.stderr
    assert "No local AWS is running" in make("env").stderr

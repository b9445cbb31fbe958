"""One process of the AWS provider for all tests that mock it.

Terraform starts the provider anew for each `run` of a test, for its schema alone, and that takes a second of CPU time,
ten times what the run takes. A mocked provider is never configured, so tests can share one.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools import providers, terraform
from tools.discovery import ROOT

_STARTED = "TF_REATTACH_PROVIDERS="

RunMocked = Callable[..., str]


def environment(data: Path) -> dict[str, str]:
    """For Terraform without an account."""
    unset = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_"))}
    return terraform.environment(data, unset)


@pytest.fixture(scope="session")
def run_mocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunMocked]:
    """Initialises a folder, runs `terraform` there with these arguments, and gives its standard output."""
    executable = providers.find_terraform()
    folder = tmp_path_factory.mktemp("terraform")

    def run(*command: str, cwd: Path, data: Path, reattach: str | None) -> str:
        environ = environment(data) | ({"TF_REATTACH_PROVIDERS": reattach} if reattach else {})
        done = subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def initialised(cwd: Path, data: Path, reattach: str | None = None) -> None:
        with terraform.init_command(executable) as init:
            run(*init, "-backend=false", cwd=cwd, data=data, reattach=reattach)

    def run_in(cwd: Path, *arguments: str) -> str:
        data = tmp_path_factory.mktemp("data")
        initialised(cwd, data, reattach)
        return run(executable.executable, *arguments, cwd=cwd, data=data, reattach=reattach)

    initialised(ROOT / "examples/minimal", folder)
    [provider] = folder.glob("providers/*/hashicorp/aws/*/*/terraform-provider-aws*")
    with subprocess.Popen(
        [provider, "-debug"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout
            line = next(line for line in process.stdout if _STARTED in line)
            [address] = json.loads(line.partition(_STARTED)[2].strip().strip("'")).values()
            reattach = json.dumps({f"{executable.registry}/hashicorp/aws": address})
            yield run_in
        finally:
            process.terminate()

"""A copy of the checkout, whose commands can be run with no risk to what a person runs in the real one."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local import venvs
from local.control import STATE_DIR
from local.progress import silent
from tools.discovery import ROOT

Make = Callable[..., "subprocess.CompletedProcess[str]"]

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".local", ".build", ".state", ".terraform", ".*_cache", ".hypothesis", "__pycache__"
)


HOSTILE = {
    "PYTHONPATH": str(Path(__file__).parent / "not_for_commands"),
    "PYTHONSAFEPATH": "1",
    "PYTHONIOENCODING": "ascii",
    "TMPDIR": "/no/such/folder",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
}
"""What some shells have set, and no command may stumble over."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("checkout") / "copy"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    # The environments are made once, by the real checkout.
    (copy / ".venv").mkdir()
    for part in (ROOT / ".venv").iterdir():
        (copy / ".venv" / part.name).symlink_to(part)
    for packages in ("deploy", "dev"):
        stamp = venvs.stamp(copy / ".venv", ROOT / f"requirements/{packages}.txt")
        stamp.unlink(missing_ok=True)
        stamp.touch()  # make takes it for up to date, so that what this process runs from is not made anew
    (copy / ".local").mkdir()
    for name, requirements in (("venv", "local.txt"), ("lambda-runtime", "runtime.txt")):
        venvs.ensure(STATE_DIR / name, ROOT / "requirements" / requirements, silent)
        (copy / ".local" / name).symlink_to(STATE_DIR / name)
    return copy


@pytest.fixture(scope="module")
def environ() -> dict[str, str]:
    """That of a person with a real profile, and with another program on the usual port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE", "MFLAGS"))}
    return {**inherited, "LOCAL_AWS_PORT": str(port), "AWS_PROFILE": "production"}


@pytest.fixture(scope="module")
def make(checkout: Path, environ: dict[str, str]) -> Iterator[Make]:
    def run(*arguments: str, piped: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        command = ["make", *arguments]
        return subprocess.run(
            command,
            cwd=checkout,
            env={**environ, **HOSTILE, **more},
            input=piped,
            capture_output=True,
            text=True,
            check=False,
        )

    yield run
    run("down")

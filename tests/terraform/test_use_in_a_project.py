"""The README's "Use it in your project", followed to the letter; a repository on this machine stands for the web's."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local import venvs
from tools import providers, terraform
from tools.discovery import ROOT

from .conftest import environment

SECTION = (ROOT / "README.md").read_text(encoding="utf-8").split("## Use it in your project\n")[1].split("\n## ")[0]
[COMMANDS] = re.findall(r"```console\n(.*?)```", SECTION, re.DOTALL)
MODULES = "\n".join(re.findall(r"```hcl\n(.*?)```", SECTION, re.DOTALL))
[TAG] = set(re.findall(r"(?:\?ref=|--branch )(v[\w.]+)", SECTION))
URL = "https://example.com/your-fork.git"

PLAN = 'mock_provider "aws" {}\nrun "plan" {\n  command = plan\n}\n'
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".local", ".build", ".state", ".terraform*", ".*_cache", "__pycache__"
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "your-fork.git"
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
    git(folder, "init", "--quiet")
    release(folder, TAG)
    return folder


def test_the_readme_leads_to_a_plan_and_another_version_of_the_module_is_refused(
    repository: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / "tests").mkdir(parents=True)
    for command in COMMANDS.splitlines():
        subprocess.run(shlex.split(here(command.removeprefix("$ "), repository)), cwd=project, check=True)
        if "clone" in command:
            lend_environment(project / "event-stores")
    (project / "provider.tf").write_text('provider "aws" {}\n')  # a project has one
    (project / "main.tf").write_text(here(MODULES, repository))
    (project / "tests/plan.tftest.hcl").write_text(PLAN)

    assert "1 passed" in planned(project, tmp_path / "data")

    (repository / "VERSION").write_text("77.0.0\n")
    release(repository, "v77.0.0")
    (project / "main.tf").write_text(here(MODULES, repository).replace(TAG, "v77.0.0"))

    refused = " ".join(planned(project, tmp_path / "newer").replace("│", "").split())
    version = (ROOT / "VERSION").read_text().strip()
    assert f"is the package of ksuid {version}, and this module is ksuid 77.0.0" in refused


def here(text: str, repository: Path) -> str:
    return text.replace(URL, repository.as_uri())


def lend_environment(checkout: Path) -> None:
    """This one's, through a script, so that nothing that the checkout does can change it."""
    python = checkout / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    venvs.stamp(checkout / ".venv", checkout / "requirements/deploy.txt").touch()


def planned(project: Path, data: Path) -> str:
    environ = environment(data)
    executable = providers.find_terraform()
    with terraform.init_command(executable) as init:
        subprocess.run(init, cwd=project, env=environ, capture_output=True, check=True)
    done = subprocess.run(
        [executable.executable, "test", "-no-color"],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def release(repository: Path, tag: str) -> None:
    git(repository, "add", "--all")
    git(repository, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", tag)
    git(repository, "tag", tag)


def git(repository: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=repository, check=True)

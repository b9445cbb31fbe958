"""A state in a bucket of the local AWS, and two checkouts that deploy at the same time.

Terraform's own work is made to last as long as the test wants; what is deployed exists in the state alone.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from tools import backends, plans, terraform
from tools.discovery import Pattern
from tools.targets import Target
from tools.workspaces import Workspace

SLOW = """
resource "terraform_data" "this" {
  provisioner "local-exec" {
    command = "touch FOLDER/begun; until test -e FOLDER/go; do sleep 0.05; done"
  }
}

output "id" {
  value = terraform_data.this.id
}
"""


@pytest.fixture
def target(aws: None) -> Target:
    return Target("aws", "account", dict(os.environ), {}, keeps_nothing=False, place="000000000000/us-east-1")


@pytest.fixture
def slow(tmp_path: Path) -> Pattern:
    """What takes until there is a file `go`."""
    folder = tmp_path / "patterns/slow"
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text(SLOW.replace("FOLDER", str(tmp_path)), encoding="utf-8")
    return Pattern(folder)


@pytest.fixture
def backend(tmp_path: Path, target: Target) -> Path:
    bucket = f"states-{uuid4().hex}"
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket=bucket)
    file = tmp_path / "backend.hcl"
    file.write_text(f'bucket = "{bucket}"\nregion = "us-east-1"\nuse_path_style = true\n', encoding="utf-8")
    return file


def checkout(slow: Pattern, folder: Path, backend: Path) -> Workspace:
    workspace = Workspace(slow, "aws", folder)
    backends.remember(workspace, {"BACKEND": str(backend)})
    return workspace


def test_of_two_checkouts_that_share_a_state_one_waits_for_the_others_lock(
    slow: Pattern, target: Target, backend: Path, tmp_path: Path
) -> None:
    first, second = (checkout(slow, tmp_path / name, backend) for name in ("first", "second"))
    reviewed: list[plans.Plan] = []
    with ThreadPoolExecutor(2) as pool:
        try:
            deploying = pool.submit(terraform.apply, first, target, lambda plan: None)
            wait_for(tmp_path / "begun")
            waiting = pool.submit(terraform.apply, second, target, reviewed.append)
            wait_for(second.folder / "plan.log")
            time.sleep(3)  # a plan that does not wait takes half a second
            assert not reviewed
            assert not waiting.done()
        finally:
            (tmp_path / "go").touch()
        deploying.result()
        waiting.result()

    [plan] = reviewed
    assert plans.changes(plan) == []
    assert terraform.outputs(first) == terraform.outputs(second) != {}
    assert not first.state.exists()
    assert not second.state.exists()


def test_a_state_of_this_checkout_alone_moves_to_the_bucket(
    slow: Pattern, target: Target, backend: Path, tmp_path: Path
) -> None:
    (tmp_path / "go").touch()
    workspace = Workspace(slow, "aws", tmp_path / "first")
    terraform.apply(workspace, target, lambda plan: None)
    before = terraform.outputs(workspace)

    backends.remember(workspace, {"BACKEND": str(backend)})
    reviewed: list[plans.Plan] = []
    terraform.apply(workspace, target, reviewed.append)

    assert plans.changes(reviewed[0]) == []
    assert not workspace.state.exists()
    elsewhere = checkout(slow, tmp_path / "second", backend)
    terraform.initialise(elsewhere, target)
    assert terraform.outputs(elsewhere) == before != {}


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"{file.name} never appeared"
        time.sleep(0.05)

"""The state's backend: what is remembered, and what Terraform is told."""

from pathlib import Path

import pytest

from tools import backends
from tools.console import Failure, UsageError
from tools.discovery import Pattern
from tools.targets import Target
from tools.workspaces import Workspace

AWS = Target("aws", "account 1, region r", {}, {}, keeps_nothing=False, place="1/r")


@pytest.fixture
def workspace(sample: Pattern, tmp_path: Path) -> Workspace:
    return Workspace(sample, "aws", tmp_path)


@pytest.fixture
def given(tmp_path: Path) -> Path:
    file = tmp_path / "given.hcl"
    file.write_text('bucket = "states"\n', encoding="utf-8")
    return file


def test_a_backend_that_was_given_once_counts_for_later_commands(workspace: Workspace, given: Path) -> None:
    assert backends.options(workspace, AWS) == []
    backends.remember(workspace, {"BACKEND": str(given)})
    backends.remember(workspace, {})
    assert backends.options(workspace, AWS) == [
        "-reconfigure",
        f"-backend-config={workspace.backend}",
        "-backend-config=key=event-stores/1/r/sample.tfstate",
        "-backend-config=use_lockfile=true",
    ]


@pytest.mark.parametrize("own", ["use_lockfile = false", 'dynamodb_table = "locks"'])
def test_a_lock_of_ones_own_is_kept(workspace: Workspace, given: Path, own: str) -> None:
    given.write_text(f'bucket = "states"\n{own}\n', encoding="utf-8")
    backends.remember(workspace, {"BACKEND": str(given)})
    assert "-backend-config=use_lockfile=true" not in backends.options(workspace, AWS)


def test_another_backend_than_the_one_that_has_the_state_is_refused(workspace: Workspace, given: Path) -> None:
    backends.remember(workspace, {"BACKEND": str(given)})
    given.write_text('bucket = "others"\n', encoding="utf-8")
    with pytest.raises(Failure, match=r"has its state where \.state/aws/sample/backend\.hcl says"):
        backends.remember(workspace, {"BACKEND": str(given)})


def test_a_backend_is_a_file_and_for_an_account(workspace: Workspace, given: Path) -> None:
    with pytest.raises(UsageError, match="which is no file"):
        backends.remember(workspace, {"BACKEND": "missing.hcl"})
    local = Workspace(workspace.pattern, "local", workspace.root)
    with pytest.raises(UsageError, match="is for TARGET=aws"):
        backends.remember(local, {"BACKEND": str(given)})


def test_terraform_runs_in_a_copy_of_the_folder_that_is_kept_up_to_date(workspace: Workspace, given: Path) -> None:
    backends.remember(workspace, {"BACKEND": str(given)})
    source = workspace.pattern.folder / "old.tf"
    source.write_text("", encoding="utf-8")
    backends.copy(workspace)
    source.rename(source.with_name("new.tf"))
    backends.copy(workspace)
    assert {file.name for file in workspace.module.glob("*.tf")} == {"new.tf", "backend.tf"}
    shared = workspace.module / "../../terraform/modules"
    assert shared.is_dir()

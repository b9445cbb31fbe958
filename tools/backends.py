"""State that several checkouts share, in an S3 bucket: `BACKEND=backend.hcl`, the settings of Terraform's S3 backend.

What a deployment was given once is kept beside where its state would be, for every later command. Each pattern,
account and region has a key of its own in the bucket, and a lock file beside it. A backend is part of a root module,
and a pattern stays a module that others can use: so Terraform runs in a copy of the pattern's folder that has both.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tools.console import Failure, UsageError
from tools.discovery import ROOT
from tools.targets import Target
from tools.workspaces import Workspace

_BLOCK = 'terraform {\n  backend "s3" {}\n}\n'
_LEFT_OUT = ("tests", "__pycache__", ".terraform", ".terraform.lock.hcl")


def remember(workspace: Workspace, environ: Mapping[str, str]) -> None:
    """Keeps the backend that BACKEND names for this command and all that follow; another than before is refused."""
    if not environ.get("BACKEND"):
        return
    if workspace.target != "aws":
        raise UsageError(
            "BACKEND is for TARGET=aws: a local AWS, and what is deployed on it, is of this machine alone."
        )
    given = Path(environ["BACKEND"])
    if not given.is_file():
        raise UsageError(f"BACKEND is {given}, which is no file: give one with the settings of Terraform's S3 backend.")
    if workspace.shared and workspace.backend.read_bytes() != given.read_bytes():
        raise Failure(
            f"{workspace.pattern.name} has its state where {workspace.backend.relative_to(workspace.root)} says, and"
            f" {given} differs: leave BACKEND out, or move the state by hand and write that file anew."
        )
    workspace.folder.mkdir(parents=True, exist_ok=True)
    workspace.backend.write_bytes(given.read_bytes())


def options(workspace: Workspace, target: Target) -> list[str]:
    """What `terraform init` is told of the backend."""
    if not workspace.shared:
        return []
    settings = [str(workspace.backend), f"key=event-stores/{target.place}/{workspace.pattern.name}.tfstate"]
    if not re.search(
        r"^\s*(use_lockfile|dynamodb_table)\s*=", workspace.backend.read_text(encoding="utf-8"), re.MULTILINE
    ):
        settings.append("use_lockfile=true")
    return ["-reconfigure", *(f"-backend-config={setting}" for setting in settings)]


def copy(workspace: Workspace) -> None:
    """Brings the copy that Terraform runs in up to date, with what the folder's relative paths lead to."""
    module, folder = workspace.module, workspace.pattern.folder
    module.mkdir(parents=True, exist_ok=True)
    shutil.copytree(folder, module, ignore=shutil.ignore_patterns(*_LEFT_OUT), dirs_exist_ok=True)
    for file in module.glob("*.tf"):
        if not (folder / file.name).exists():
            file.unlink()
    (module / "backend.tf").write_text(_BLOCK, encoding="utf-8")
    for name in ("terraform", ".build", "VERSION"):
        link = workspace.copies / name
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / name)

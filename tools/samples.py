"""Samples: systems on top of a deployed pattern, each a root module of its own in examples/<sample>/terraform.

It is put on by what the pattern outputs, and has a state of its own, so that the pattern knows nothing of it. The
environment variable SAMPLE, which make passes on, names the one that is to be deployed.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import deployments, package, terraform
from tools.console import UsageError, progress
from tools.discovery import ROOT, Pattern
from tools.targets import Target
from tools.terraform import Workspace


@dataclass(frozen=True)
class Sample(Pattern):
    """The root module of a sample, on one pattern."""

    on: Pattern

    @property
    def sample(self) -> str:
        return self.folder.parent.name

    @property
    def name(self) -> str:
        return f"{self.on.name}-{self.sample}"


def wanted() -> str:
    """The sample that SAMPLE names; empty for none.

    Raises:
        UsageError: there is none of that name.
    """
    name = os.environ.get("SAMPLE", "")
    if name and name not in _all():
        raise UsageError(f"There is no sample {name!r}: give SAMPLE=… as one of {', '.join(_all())}.")
    return name


def deploy(name: str, pattern: Pattern, target: Target, root: Path = ROOT) -> dict[str, Any]:
    """Packages and applies the sample on a pattern that is deployed, and gives its outputs."""
    sample = _of(name, pattern)
    workspace = Workspace(sample, target.name, root)
    package.build(pattern, sample=name)
    deployments.claim(workspace, target)
    terraform.apply(workspace, target.environment, _variables(pattern, target, root))
    return terraform.outputs(workspace)


def outputs(pattern: Pattern, target: str, root: Path = ROOT) -> dict[str, Any]:
    """The outputs of all samples on a pattern that is still there."""
    found: dict[str, Any] = {}
    below = Workspace(pattern, target, root).identity
    for name in _all():
        workspace = Workspace(_of(name, pattern), target, root)
        if workspace.identity.exists() and workspace.identity.read_bytes() == below.read_bytes():
            found |= terraform.outputs(workspace)
    return found


def destroy(pattern: Pattern, target: Target, root: Path = ROOT) -> None:
    """Removes all samples from a pattern that is still there."""
    for name in _all():
        workspace = Workspace(_of(name, pattern), target.name, root)
        if workspace.state.exists() and deployments.belongs(workspace, target):
            package.build(pattern, sample=name)  # Terraform reads the file even to remove the functions
            terraform.destroy(workspace, target.environment, _variables(pattern, target, root))
            progress(f"{workspace.pattern.name}: removed")
        deployments.forget(workspace)


def _all() -> list[str]:
    return [folder.parent.parent.name for folder in sorted(ROOT.glob("examples/*/terraform/main.tf"))]


def _of(name: str, pattern: Pattern) -> Sample:
    return Sample(ROOT / "examples" / name / "terraform", pattern)


def _variables(pattern: Pattern, target: Target, root: Path) -> dict[str, str]:
    store = terraform.outputs(Workspace(pattern, target.name, root))["store"]
    return {**target.variables, "store": json.dumps(store)}

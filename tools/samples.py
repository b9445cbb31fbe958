"""Samples: systems on top of a deployed pattern, each a root module of its own in examples/<sample>/terraform.

It is put on by what the pattern outputs, and has a state of its own, so that the pattern knows nothing of it. The
environment variable SAMPLE, which make passes on, names the one that is to be deployed.
"""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools import backends, deployments, package, reviews, settings, targets, terraform
from tools.console import UsageError, progress
from tools.discovery import ROOT, Pattern
from tools.targets import Target
from tools.workspaces import Workspace


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


def workspace(name: str, pattern: Pattern, target: str, root: Path = ROOT) -> Workspace:
    """That of the sample on a pattern, with its state where the pattern's is."""
    below, above = (Workspace(each, target, root) for each in (pattern, _of(name, pattern)))
    if below.shared:
        backends.remember(above, {"BACKEND": str(below.backend)})
    return above


def deploy(name: str, pattern: Pattern, target: Target, root: Path = ROOT) -> dict[str, Any]:
    """Packages and applies the sample on a pattern that is deployed, and gives its outputs."""
    above = workspace(name, pattern, target.name, root)
    package.build(pattern, sample=name)
    deployments.claim(above, target)
    settings.remember(above)
    terraform.apply(above, _on(pattern, target, root), reviews.deploying(above, target))
    return terraform.outputs(above)


def outputs(pattern: Pattern, target: str, root: Path = ROOT) -> dict[str, Any]:
    """The outputs of all samples on a pattern that is still there."""
    found: dict[str, Any] = {}
    below = Workspace(pattern, target, root).identity
    for name in _all():
        above = workspace(name, pattern, target, root)
        if above.shared and (there := targets.reach(target)):
            terraform.initialise(above, there)
        elif not above.identity.exists() or above.identity.read_bytes() != below.read_bytes():
            continue
        found |= terraform.outputs(above)
    return found


def destroy(pattern: Pattern, target: Target, root: Path = ROOT) -> None:
    """Removes all samples from a pattern that is still there."""
    for name in _all():
        above = workspace(name, pattern, target.name, root)
        if above.shared or (above.state.exists() and deployments.belongs(above, target)):
            _destroy(above, pattern, target, root)
        deployments.forget(above)


def _destroy(above: Workspace, pattern: Pattern, target: Target, root: Path) -> None:
    if above.shared:
        terraform.initialise(above, target)
    if not above.shared or terraform.outputs(above):
        package.build(pattern, sample=above.pattern.folder.parent.name)  # read even to remove the functions
        terraform.destroy(above, _on(pattern, target, root), lambda plan: reviews.refuse_protected(above, plan))
        progress(f"{above.pattern.name}: removed")


def _all() -> list[str]:
    return [folder.parent.parent.name for folder in sorted(ROOT.glob("examples/*/terraform/main.tf"))]


def _of(name: str, pattern: Pattern) -> Sample:
    return Sample(ROOT / "examples" / name / "terraform", pattern)


def _on(pattern: Pattern, target: Target, root: Path) -> Target:
    """The target, with what the pattern offers as a variable."""
    store = terraform.outputs(Workspace(pattern, target.name, root))["store"]
    return replace(target, variables={**target.variables, "store": json.dumps(store)})

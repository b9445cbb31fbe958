"""A person's settings of a deployed pattern: `settings/<target>/<pattern>.tfvars`, a Terraform variables file.

It is the only way to set variables by these commands: nothing in the caller's shell counts. What was deployed last is
remembered beside the state, so that a file that has gone missing does not set a running store back to the defaults.
"""

from collections.abc import Mapping

from tools.console import Failure
from tools.workspaces import Workspace


def relative(workspace: Workspace) -> str:
    """The file's path, as a person at the top of the checkout writes it."""
    return workspace.settings.relative_to(workspace.root).as_posix()


def remember(workspace: Workspace) -> None:
    """Keeps a copy of the settings that are about to be deployed, and refuses to go on without those of last time."""
    if workspace.settings.exists():
        workspace.deployed_settings.write_bytes(workspace.settings.read_bytes())
    elif workspace.deployed_settings.exists():
        raise Failure(
            f"{workspace.pattern.name} was deployed with {relative(workspace)}, which is gone: put it back"
            f" ({workspace.deployed_settings.relative_to(workspace.root)} is a copy), or make an empty one to go back"
            " to the defaults."
        )


def ignored(environ: Mapping[str, str]) -> list[str]:
    """The variables of the caller's shell that would count if Terraform were run by hand, and do not here."""
    return sorted(name for name in environ if name.startswith(("TF_VAR_", "TF_CLI_ARGS")) or name == "TF_WORKSPACE")

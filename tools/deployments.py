"""Which patterns are deployed where, and doing the same to several of them at once."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from tools import terraform
from tools.console import Failure, progress
from tools.discovery import Pattern
from tools.targets import Target
from tools.workspaces import Workspace


def belongs(workspace: Workspace, target: Target) -> bool:
    """Whether what the state describes was deployed on this very instance or account."""
    if workspace.shared:
        return True  # a state of each account and region is apart
    return workspace.identity.exists() and workspace.identity.read_text(encoding="utf-8") == target.identity


def claim(workspace: Workspace, target: Target) -> None:
    """Makes the state one of this target. That of an instance that is gone, with all it held, is set aside."""
    if workspace.state.exists() and not belongs(workspace, target):
        refuse_other_account(workspace, target)
        aside = workspace.state.replace(workspace.folder / "previous.tfstate")
        progress(
            f"{workspace.pattern.name}: the {target.name} AWS that it was deployed on is gone;"
            f" its state is set aside as {aside.relative_to(workspace.root)}"
        )
    workspace.folder.mkdir(parents=True, exist_ok=True)
    workspace.identity.write_text(target.identity, encoding="utf-8")


def refuse_other_account(workspace: Workspace, target: Target) -> None:
    if not target.keeps_nothing and not belongs(workspace, target):
        recorded = workspace.identity.read_text(encoding="utf-8") if workspace.identity.exists() else "another account"
        raise Failure(
            f"{workspace.pattern.name} is deployed in {recorded}, and your credentials are for {target.identity}:"
            " use those it was deployed with, or another checkout."
        )


def forget(workspace: Workspace) -> None:
    """Removes the state of something that is no longer deployed. Where its state was, the next one's will be."""
    for kept in workspace.folder.glob("*"):
        if kept.is_dir():
            shutil.rmtree(kept, ignore_errors=True)
        elif kept != workspace.backend:
            kept.unlink(missing_ok=True)
    if workspace.folder.exists() and not workspace.shared:
        workspace.folder.rmdir()


def discard(workspace: Workspace) -> None:
    """Removes everything that is kept of something that was deployed on an AWS which is gone."""
    forget(workspace)
    shutil.rmtree(workspace.data, ignore_errors=True)
    for folder in (workspace.folder.parent, workspace.data.parent):
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()


AT_ONCE = 4
"""Of all patterns at once, a machine of two cores and a local AWS that serves one request at a time answer so late that
the SDK sends a request again; and what that creates then exists already."""


def each(patterns: list[Pattern], work: Callable[[Pattern], object]) -> None:
    """Does the work for some patterns at once. One that fails stops no other; at the end every failure is reported."""
    failures: list[str] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for done in as_completed([pool.submit(work, pattern) for pattern in patterns]):
                failure = done.exception()
                if isinstance(failure, Failure):
                    failures.append(str(failure))
                elif failure:
                    raise failure
        except KeyboardInterrupt:
            progress("Stopping once what is under way is done")
            terraform.interrupt()
            raise
    if failures:
        raise Failure("; ".join(failures))

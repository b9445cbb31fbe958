"""Imports into the state what a killed Terraform was making and did not record, so that deploying again continues.

The log of the killed one says what it began and did not finish. Only that is imported, and only if it exists; a
resource of the same name that somebody else made is never touched. It costs a plan and some seconds for each resource.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools import plans
from tools.console import progress

WAITING = "-lock-timeout=600s"
"""For another Terraform that still works on the same state."""

Identify = Callable[[plans.Change], str | None]
"""Gives the import id of what has the name that a change would give; None if there is none."""

Run = Callable[..., str | None]
"""Runs Terraform with the given arguments, and gives what it prints; None if it failed."""


def unfinished(log: Path) -> set[str]:
    """The addresses of what the apply that wrote this log was making when it was killed, or is making still."""
    begun: set[str] = set()
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []:
        entry = _entry(line)
        address = entry.get("hook", {}).get("resource", {}).get("addr", "")
        if entry.get("type") == "apply_start" and entry["hook"]["action"] == "create":
            begun.add(address)
        elif entry.get("type") in ("apply_complete", "apply_errored"):
            begun.discard(address)
    return begun


def adopt(log: Path, plan: Path, run: Run, identify: Identify, title: str) -> None:
    """Imports what the log leaves unfinished. One that still works is waited for."""
    if not unfinished(log) or run("plan", WAITING, f"-out={plan}") is None:
        return
    shown = run("show", "-json", str(plan))
    plan.unlink()
    made = unfinished(log)
    planned = plans.changes(json.loads(shown)) if shown else []
    for change in [it for it in planned if it.address in made and it.actions == ("create",)]:
        identifier = identify(change)
        if identifier and run("import", change.address, identifier) is not None:
            progress(f"{title}: took over {change.address}, which a killed deployment had made")


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}

"""Imports into the state what a killed Terraform was making and did not record, so that deploying again continues.

The log of the killed one says what it began and did not finish. Only that is imported, and only if it exists; a
resource of the same name that somebody else made is never touched. It costs a plan and some seconds for each resource.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.console import progress

IDENTIFIED_BY = {
    "aws_cloudwatch_log_group": "name",
    "aws_dynamodb_table": "name",
    "aws_iam_role": "name",
    "aws_lambda_function": "function_name",
    "aws_rds_cluster": "cluster_identifier",
    "aws_rds_cluster_instance": "identifier",
    "aws_s3_bucket": "bucket",
}
"""The argument that is the import id. Making a resource of another type again does no harm, or its error tells."""

WAITING = "-lock-timeout=600s"
"""For another Terraform that still works on the same state."""

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


def adopt(log: Path, plan: Path, run: Run, title: str) -> None:
    """Imports what the log leaves unfinished. One that still works is waited for."""
    if not unfinished(log) or run("plan", WAITING, f"-out={plan}") is None:
        return
    shown = run("show", "-json", str(plan))
    plan.unlink()
    made = unfinished(log)
    for change in json.loads(shown)["resource_changes"] if shown else []:
        if change["address"] in made and change["change"]["actions"] == ["create"] and change["type"] in IDENTIFIED_BY:
            identifier = change["change"]["after"][IDENTIFIED_BY[change["type"]]]
            if run("import", change["address"], identifier) is not None:
                progress(f"{title}: took over {change['address']}, which a killed deployment had made")


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}

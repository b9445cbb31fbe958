"""Runs Terraform on one pattern for one target, with state, working data and logs apart from every other.

Terraform runs in a session of its own and writes to a log that this reads along: a command that is killed leaves it to
finish what it began and to record it, and the next one waits for that (`-lock-timeout`). An interrupt is passed on, so
that Terraform stops in good order. A lock is one of the operating system, so that of a dead Terraform is gone with it.
"""

import fcntl
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.shell import temporary_folder
from tools import adoption, providers
from tools.console import Failure
from tools.discovery import ROOT, Pattern
from tools.terraform_log import Report, follow

_running: "set[subprocess.Popen[bytes]]" = set()
_starting = threading.Lock()
"""Held while a Terraform starts, so that an interrupt misses none."""


@dataclass(frozen=True)
class Workspace:
    """A pattern on a target; `root` is the checkout, unless a test keeps its deployments elsewhere."""

    pattern: Pattern
    target: str
    root: Path = ROOT

    @property
    def folder(self) -> Path:
        return self.root / ".state" / self.target / self.pattern.name

    @property
    def state(self) -> Path:
        return self.folder / "terraform.tfstate"

    @property
    def identity(self) -> Path:
        """Which instance or account the state belongs to."""
        return self.folder / "identity"

    @property
    def data(self) -> Path:
        return self.folder / "terraform"


def apply(workspace: Workspace, environ: Mapping[str, str], variables: Mapping[str, str]) -> None:
    """Makes what is deployed equal to the pattern's configuration."""
    _change("apply", workspace, environ, variables)


def destroy(workspace: Workspace, environ: Mapping[str, str], variables: Mapping[str, str]) -> None:
    """Removes all that the state knows of."""
    _change("destroy", workspace, environ, variables)


def outputs(workspace: Workspace) -> dict[str, Any]:
    """The outputs of what is deployed, by name; none if nothing is."""
    if not workspace.state.exists():
        return {}
    command = [providers.find_terraform().executable, "output", "-json", f"-state={workspace.state}"]
    environ = environment(workspace.data, os.environ)
    done = subprocess.run(
        command, cwd=workspace.pattern.folder, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failure(f"{workspace.state} cannot be read: {done.stderr}")
    return {name: output["value"] for name, output in json.loads(done.stdout).items()}


def resources(workspace: Workspace, kind: str) -> dict[str, dict[str, Any]]:
    """The attributes of all resources of one type that the state holds, by address."""
    command = [providers.find_terraform().executable, "show", "-json", str(workspace.state)]
    environ = environment(workspace.data, os.environ)
    done = subprocess.run(
        command, cwd=workspace.pattern.folder, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failure(f"{workspace.state} cannot be read: {done.stderr}")
    modules = [json.loads(done.stdout).get("values", {}).get("root_module", {})]
    found: dict[str, dict[str, Any]] = {}
    for module in modules:
        modules += module.get("child_modules", [])
        found |= {it["address"]: it["values"] for it in module.get("resources", []) if it["type"] == kind}
    return found


def interrupt() -> None:
    """Asks every Terraform that runs here to stop once what is under way is done and recorded."""
    with _starting:
        for process in list(_running):
            process.send_signal(signal.SIGINT)


def environment(data: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` for a Terraform that keeps its working data in `data`."""
    cache = ROOT / ".build/plugins"
    cache.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in environ.items() if name not in ("TF_WORKSPACE", "TF_CLI_ARGS")}
    return {
        # One copy of the provider (700 MB) for all patterns; with no lock file in git, the cache must be told so.
        "TF_PLUGIN_CACHE_DIR": str(cache),
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1",
        **kept,
        "TMPDIR": temporary_folder(environ),
        "TF_DATA_DIR": str(data),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }


@contextmanager
def init_command(terraform: providers.Terraform) -> Iterator[list[str]]:
    """The command that fetches the provider. Only one runs at a time: Terraform's plugin cache supports no more."""
    directory = providers.provider_directory(terraform)
    plugins = [f"-plugin-dir={directory}"] if directory else []
    lock_file = ROOT / ".build/init.lock"
    lock_file.parent.mkdir(exist_ok=True)
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield [terraform.executable, "init", "-input=false", "-no-color", *plugins]


def _change(verb: str, workspace: Workspace, environ: Mapping[str, str], variables: Mapping[str, str]) -> None:
    terraform = providers.find_terraform()
    workspace.folder.mkdir(parents=True, exist_ok=True)
    with init_command(terraform) as init:
        _run(workspace, "init", init, environ)
    # A backend block in place of -state would be forced on everybody who uses the pattern as a module.
    options = ["-input=false", f"-state={workspace.state}", *(f"-var={name}={it}" for name, it in variables.items())]
    _adopt(terraform.executable, workspace, environ, options)
    _run(workspace, verb, [terraform.executable, verb, *options, "-auto-approve", "-json", adoption.WAITING], environ)


def _adopt(executable: str, workspace: Workspace, environ: Mapping[str, str], options: list[str]) -> None:
    def run(verb: str, *arguments: str) -> str | None:
        command = [executable, verb, *([] if verb == "show" else options), *arguments]
        done = subprocess.run(
            command,
            cwd=workspace.pattern.folder,
            env=environment(workspace.data, environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return None if done.returncode else done.stdout

    adoption.adopt(workspace.folder / "apply.log", workspace.folder / "plan", run, workspace.pattern.name)


def _run(workspace: Workspace, verb: str, command: list[str], environ: Mapping[str, str]) -> None:
    log = workspace.folder / f"{verb}.log"
    report = Report(f"{workspace.pattern.name}: {verb}")
    log.unlink(missing_ok=True)  # a Terraform whose command was killed may still write to it
    with log.open("wb") as output, log.open(encoding="utf-8", errors="replace") as lines:
        with _starting:
            process = subprocess.Popen(
                command,
                cwd=workspace.pattern.folder,
                env=environment(workspace.data, environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            _running.add(process)
        try:
            follow(lines, process, report)
        finally:
            _running.discard(process)
    if process.returncode:
        errors = "; ".join(report.errors) or f"it ended with status {process.returncode}"
        raise Failure(f"{report.title} failed: {errors}. The whole log: {log}")

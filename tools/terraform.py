"""Runs Terraform on one pattern for one target, with its state and working data apart from every other.

Terraform runs in a session of its own and writes to a log that this reads along: a command that is killed leaves it to
finish what it began and to record it, and the next one waits for that (`-lock-timeout`). An interrupt is passed on, so
that Terraform stops in good order. A lock is one of the operating system, so that of a dead Terraform is gone with it.
"""

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tools import providers
from tools.console import Failure, progress
from tools.discovery import ROOT, Pattern

POLL_SECONDS = 0.1
SILENCE_SECONDS = 10.0
"""After so long without news, a line says that it still works."""

_running: "set[subprocess.Popen[bytes]]" = set()


@dataclass(frozen=True)
class Workspace:
    """A pattern on a target."""

    pattern: Pattern
    target: str
    root: Path = ROOT

    @property
    def folder(self) -> Path:
        """Where its state, its logs and the identity of what it is deployed on lie."""
        return self.root / ".state" / self.target / self.pattern.name

    @property
    def state(self) -> Path:
        return self.folder / "terraform.tfstate"

    @property
    def identity(self) -> Path:
        return self.folder / "identity"

    @property
    def data(self) -> Path:
        return self.root / ".build/terraform" / self.target / self.pattern.name


def apply(workspace: Workspace, environment: Mapping[str, str], variables: Mapping[str, str]) -> None:
    """Makes what is deployed equal to the pattern's configuration."""
    _change("apply", workspace, environment, variables)


def destroy(workspace: Workspace, environment: Mapping[str, str], variables: Mapping[str, str]) -> None:
    _change("destroy", workspace, environment, variables)


def interrupt() -> None:
    """Asks every Terraform that runs here to stop once what is under way is done and recorded."""
    for process in list(_running):
        process.send_signal(signal.SIGINT)


def outputs(workspace: Workspace) -> dict[str, Any]:
    """The outputs of what is deployed, by name; none if nothing is."""
    if not workspace.state.exists():
        return {}
    command = [providers.find_terraform().executable, "output", "-json", f"-state={workspace.state}"]
    done = subprocess.run(
        command, cwd=workspace.pattern.folder, env=_environment(workspace, os.environ), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failure(f"{workspace.state} cannot be read: {done.stderr}")
    return {name: output["value"] for name, output in json.loads(done.stdout).items()}


def _change(verb: str, workspace: Workspace, environment: Mapping[str, str], variables: Mapping[str, str]) -> None:
    terraform = providers.find_terraform()
    environment = _environment(workspace, environment)
    workspace.folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(workspace.root):
        _run(workspace, "init", [terraform.executable, "init", "-input=false", "-no-color", *_plugins(terraform)], environment)
    command = [terraform.executable, verb, "-auto-approve", "-input=false", "-json", "-lock-timeout=600s"]
    command += [f"-state={workspace.state}"]  # a backend block would be forced on whoever uses the pattern as a module
    command += [f"-var={name}={value}" for name, value in variables.items()]
    _run(workspace, verb, command, environment)


def _plugins(terraform: providers.Terraform) -> list[str]:
    directory = providers.provider_directory(terraform)
    return [f"-plugin-dir={directory}"] if directory else []


def _environment(workspace: Workspace, environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environment.items() if name not in ("TF_WORKSPACE", "TF_CLI_ARGS")}
    cache = workspace.root / ".build/terraform/plugins"
    cache.mkdir(parents=True, exist_ok=True)
    return {
        **kept,
        "TF_DATA_DIR": str(workspace.data),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
        # One copy of the provider (700 MB) for all patterns; without a lock file the cache needs to be told so.
        "TF_PLUGIN_CACHE_DIR": environment.get("TF_PLUGIN_CACHE_DIR", str(cache)),
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1",
    }


@contextmanager
def _one_at_a_time(root: Path) -> Iterator[None]:
    """Terraform's plugin cache bears no two inits at once."""
    with open(root / ".build/terraform/init.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(workspace: Workspace, verb: str, command: list[str], environment: Mapping[str, str]) -> None:
    log = workspace.folder / f"{verb}.log"
    report = _Report(f"{workspace.pattern.name}: {verb}")
    with open(log, "wb") as output, open(log, encoding="utf-8", errors="replace") as lines:
        process = subprocess.Popen(
            command,
            cwd=workspace.pattern.folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        _running.add(process)
        try:
            _follow(lines, process, report)
        finally:
            _running.discard(process)
    if process.returncode:
        errors = "; ".join(report.errors) or _last_line(log) or f"{verb} ended with status {process.returncode}"
        raise Failure(f"{report.title} failed: {errors}. The whole log: {log.relative_to(workspace.root)}")


def _follow(lines: IO[str], process: "subprocess.Popen[bytes]", report: "_Report") -> None:
    heard, rest = time.monotonic(), ""
    while True:
        ended = process.poll() is not None
        *complete, rest = (rest + lines.read()).split("\n")
        for line in complete:
            report.read(line)
        if complete:
            heard = time.monotonic()
        elif time.monotonic() - heard > SILENCE_SECONDS:
            progress(f"{report.title} is at work")
            heard = time.monotonic()
        if ended:
            return
        time.sleep(POLL_SECONDS)


class _Report:
    """Turns Terraform's machine-readable log into a line for each thing done, and keeps its errors."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.errors: list[str] = []
        self._planned = self._done = 0

    def read(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            return  # a warning of the CLI, before it speaks JSON
        match entry.get("type"):
            case "change_summary" if entry["changes"]["operation"] == "plan":
                self._planned = sum(entry["changes"][change] for change in ("add", "change", "remove"))
                progress(f"{self.title}: {self._planned or 'no'} changes")
            case "apply_complete":
                self._done += 1
                progress(f"{self.title}: [{self._done}/{self._planned}] {entry['hook']['resource']['addr']}")
            case "apply_progress":
                hook = entry["hook"]
                progress(f"{self.title}: {hook['resource']['addr']} since {hook['elapsed_seconds']} s")
            case "diagnostic" if entry["diagnostic"]["severity"] == "error":
                self.errors.append(_summary(entry["diagnostic"]))


def _summary(diagnostic: Mapping[str, Any]) -> str:
    where = f" ({diagnostic['address']})" if diagnostic.get("address") else ""
    return " ".join(f"{diagnostic['summary']}{where} {diagnostic.get('detail', '')}".split()).rstrip(".")


def _last_line(log: Path) -> str:
    return next(reversed(log.read_text(encoding="utf-8", errors="replace").strip().splitlines()), "")

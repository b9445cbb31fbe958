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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.shell import temporary_folder
from tools import adoption, backends, existing, plans, providers
from tools.console import Failure
from tools.discovery import ROOT
from tools.targets import Target
from tools.terraform_log import Report, follow
from tools.workspaces import Workspace


class TerraformFailure(Failure):
    """Terraform failed; what it told of it is kept apart from the text."""

    def __init__(self, text: str, report: Report) -> None:
        super().__init__(text)
        self.summaries = frozenset(report.summaries)
        self.refusals = frozenset(report.refusals)


_running: "set[subprocess.Popen[bytes]]" = set()
_starting = threading.Lock()
"""Held while a Terraform starts, so that an interrupt misses none."""


Review = Callable[[plans.Plan], None]
"""Looks at a plan before anything is done, and raises a Failure to refuse it."""


def apply(workspace: Workspace, target: Target, review: Review | None = None) -> None:
    """Makes what is deployed equal to the pattern's configuration and settings."""
    initialise(workspace, target)
    _adopt(workspace, target)
    if review:
        _apply_reviewed(workspace, target, review)
    else:
        _run(workspace, "apply", [*_command(workspace, target, "apply"), "-auto-approve"], target)


def destroy(workspace: Workspace, target: Target, review: Review) -> None:
    """Removes all that the state knows of."""
    initialise(workspace, target)
    _adopt(workspace, target)
    _apply_reviewed(workspace, target, review, "-destroy")


def outputs(workspace: Workspace) -> dict[str, Any]:
    """The outputs of what is deployed, by name; none if nothing is. A shared state must be initialised before."""
    if not workspace.state.exists() and not workspace.shared:
        return {}
    command = [providers.find_terraform().executable, "output", "-json", *_state(workspace)]
    environ = environment(workspace.data, os.environ)
    done = subprocess.run(command, cwd=workspace.module, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"{workspace.backend if workspace.shared else workspace.state} cannot be read: {done.stderr}")
    return {name: output["value"] for name, output in json.loads(done.stdout).items()}


def resources(workspace: Workspace, kind: str) -> dict[str, dict[str, Any]]:
    """The attributes of all resources of one type that the state holds, by address. As for `outputs`."""
    file = [] if workspace.shared else [str(workspace.state)]
    command = [providers.find_terraform().executable, "show", "-json", *file]
    environ = environment(workspace.data, os.environ)
    done = subprocess.run(command, cwd=workspace.module, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"{workspace.backend if workspace.shared else workspace.state} cannot be read: {done.stderr}")
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


PASSED = frozenset(
    {
        # The machine and its user.
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "TEMP", "TMP"),
        # The way to the network.
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR"),
        # Where Terraform finds providers, and how it logs.
        *("TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG", "TF_PLUGIN_CACHE_DIR", "TF_APPEND_USER_AGENT"),
        # What the credential_process of a profile may need: an agent, a key ring, a terminal.
        *("SSH_AUTH_SOCK", "GNUPGHOME", "GPG_TTY", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY"),
    }
)
PASSED_PREFIXES = ("AWS_", "LC_", "TF_LOG", "TF_REGISTRY_", "TF_TOKEN_", "XDG_")
"""What Terraform sees of the caller's shell. No `TF_VAR_…` and no `TF_CLI_ARGS…`: what is deployed is in files."""


def environment(data: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What a Terraform that keeps its working data in `data` is given of `environ`."""
    cache = ROOT / ".build/plugins"
    cache.mkdir(parents=True, exist_ok=True)
    passed = {name: value for name, value in environ.items() if name in PASSED or name.startswith(PASSED_PREFIXES)}
    return {
        # One copy of the provider (700 MB) for all patterns; with no lock file in git, the cache must be told so.
        "TF_PLUGIN_CACHE_DIR": str(cache),
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1",
        **passed,
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


def initialise(workspace: Workspace, target: Target) -> None:
    """Gets the workspace ready. A state that was this checkout's own moves to the backend that it has now."""
    workspace.folder.mkdir(parents=True, exist_ok=True)
    if workspace.shared:
        backends.copy(workspace)
    with init_command(providers.find_terraform()) as init:
        _run(workspace, "init", [*init, *backends.options(workspace, target)], target)
    if workspace.shared and workspace.state.exists():
        _run(workspace, "push", [providers.find_terraform().executable, "state", "push", str(workspace.state)], target)
        workspace.state.replace(workspace.folder / "moved.tfstate")


def _apply_reviewed(workspace: Workspace, target: Target, review: Review, *options: str) -> None:
    """Plans, has the plan reviewed, and applies that plan: again, if the state has changed in between."""
    file = workspace.folder / "plan"
    verb = "destroy" if options else "apply"
    try:
        for attempt in range(_ATTEMPTS):
            _run(workspace, "plan", [*_command(workspace, target, "plan"), f"-out={file}", *options], target)
            plan = _show(workspace, target, file)
            try:
                review(plan)
            except existing.Exists:
                if attempt or not workspace.shared:
                    raise
                continue  # made by another checkout, whose state this will be once that is done
            if not plan.get("applyable", True):  # OpenTofu does not say, and applies nothing
                return
            executable = providers.find_terraform().executable
            command = [executable, "apply", "-json", adoption.WAITING, "-input=false", *_state(workspace), str(file)]
            try:
                return _run(workspace, verb, command, target, len(plans.changes(plan)))
            except TerraformFailure as failure:
                if _STALE not in failure.summaries:
                    raise
        raise Failure(f"{workspace.pattern.name}: others change the same state all the time: try again.")
    finally:
        file.unlink(missing_ok=True)


_STALE = "Saved plan is stale"
_ATTEMPTS = 3


def _command(workspace: Workspace, target: Target, verb: str) -> list[str]:
    """What plans or applies, once nobody else works on the state."""
    terraform = providers.find_terraform()
    return [terraform.executable, verb, "-json", adoption.WAITING, *_options(workspace, target)]


def _options(workspace: Workspace, target: Target) -> list[str]:
    """Where the state is, and the variables; of those that set the same, Terraform takes the last."""
    files = [file for file in (workspace.settings, workspace.deployed_settings) if file.exists()][:1]
    settings = [f"-var-file={file}" for file in files]
    return ["-input=false", *_state(workspace), *_given(target.variables), *settings, *_given(target.overrides)]


def _given(variables: Mapping[str, str]) -> list[str]:
    return [f"-var={name}={value}" for name, value in variables.items()]


def _show(workspace: Workspace, target: Target, file: Path) -> plans.Plan:
    shown = _ask(workspace, target, ["show", "-json", str(file)])
    if shown is None:
        raise Failure(f"{workspace.pattern.name}: Terraform cannot read the plan that it has just made, {file}.")
    plan: plans.Plan = json.loads(shown)
    return plan


def _state(workspace: Workspace) -> list[str]:
    # A backend block in place of -state would be forced on everybody who uses the pattern as a module.
    return [] if workspace.shared else [f"-state={workspace.state}"]


def _ask(workspace: Workspace, target: Target, arguments: list[str]) -> str | None:
    """What Terraform prints; None if it fails."""
    done = subprocess.run(
        [providers.find_terraform().executable, *arguments],
        cwd=workspace.module,
        env=environment(workspace.data, target.environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return None if done.returncode else done.stdout


def _adopt(workspace: Workspace, target: Target) -> None:
    def run(verb: str, *arguments: str) -> str | None:
        options = [] if verb == "show" else _options(workspace, target)
        return _ask(workspace, target, [verb, *options, *arguments])

    def identify(change: plans.Change) -> str | None:
        return existing.identify(target, change)

    adoption.adopt(workspace.folder / "apply.log", workspace.folder / "plan", run, identify, workspace.pattern.name)


def _run(workspace: Workspace, verb: str, command: list[str], target: Target, planned: int = 0) -> None:
    log = workspace.folder / f"{verb}.log"
    report = Report(f"{workspace.pattern.name}: {verb}", planned)
    log.unlink(missing_ok=True)  # a Terraform whose command was killed may still write to it
    with log.open("wb") as output, log.open(encoding="utf-8", errors="replace") as lines:
        with _starting:
            process = subprocess.Popen(
                command,
                cwd=workspace.module,
                env=environment(workspace.data, target.environment),
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
        raise TerraformFailure(f"{report.title} failed: {errors}. The whole log: {log}", report)

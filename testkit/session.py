"""The session's own local AWS with all patterns deployed on it: on a free port, never the one that a person is using.

The process that pytest was started in owns it (with xdist, the controller) and removes it at the end, also after
Ctrl-C; if that process is killed, the local AWS ends by itself. Whatever process needs it first asks for it by a file,
so that a session of unit tests starts nothing. Patterns are deployed side by side, with the project's own command, by a
user who may do what docs/deployer.md lists.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import boto3

from lambdas.eventstore.wire import OPERATIONS
from local.control import LocalAws
from testkit import permissions
from testkit.harness import definition, harness_of
from tools import deployments, targets, terraform
from tools.deploy import deploy
from tools.discovery import Pattern
from tools.workspaces import Workspace

READY_SECONDS = 300.0


class Owner:
    """Starts the local AWS when somebody asks for it, and removes all of it in the end."""

    def __init__(self, patterns: list[Pattern]) -> None:
        self.folder = Path(mkdtemp(prefix="event-store-tests-"))
        self._patterns = patterns
        self._closing = threading.Event()
        self._aws: LocalAws | None = None
        self._target: targets.Target | None = None
        self._thread = threading.Thread(target=self._serve, name="local-aws", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        terraform.interrupt()
        self._thread.join()
        if self._target:
            for pattern in self._patterns:
                workspace = Workspace(pattern, self._target.name)
                deployments.forget(workspace)
                shutil.rmtree(workspace.data, ignore_errors=True)
                for folder in (workspace.folder.parent, workspace.data.parent):
                    _remove_if_empty(folder)
        if self._aws:
            self._aws.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _serve(self) -> None:
        while not (self.folder / "wanted").exists():
            if self._closing.wait(0.05):
                return
        _publish(self.folder / "aws", self._start)
        if self._target:
            with ThreadPoolExecutor(deployments.AT_ONCE) as pool:
                for pattern in self._patterns:
                    pool.submit(_publish, self.folder / pattern.name, partial(self._deploy, pattern))

    def _start(self) -> dict[str, Any]:
        self._aws = LocalAws.start(self.folder / "local")
        root = targets.local(self._aws, f"test-{self._aws.instance_id}")
        self._target = replace(root, environment={**root.environment, **permissions.deployer(root)})
        return dict(self._aws.environment)

    def _deploy(self, pattern: Pattern) -> dict[str, Any]:
        assert self._target
        variables = {**self._target.variables, **harness_of(pattern.name).variables}
        return deploy(pattern, replace(self._target, variables=variables))


class Session:
    """What any process of the session sees of its AWS."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def want_local_aws(self) -> None:
        """Has it started, with all patterns on it, and does not wait for that."""
        (self._folder / "wanted").touch()

    def aws(self) -> dict[str, str]:
        """The environment variables that lead to the local AWS."""
        self.want_local_aws()
        return dict(_await(self._folder / "aws", "The local AWS"))

    @cache  # noqa: B019  # there is one session
    def deployment(self, pattern: str) -> dict[str, Any]:
        """`functions` and their `settings` (environment variables) by operation, the `environment` of `store_events`,
        the `tables` that it names (as CreateTable defines them), and all `outputs`. Only where the environment leads to
        the local AWS."""
        outputs = _await(self._folder / pattern, f"The pattern {pattern}")
        functions = {operation: outputs[operation] for operation in OPERATIONS}
        client = boto3.client("lambda")
        settings = {
            operation: client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            for operation, name in functions.items()
        }
        environment = settings["store_events"]
        dynamodb = boto3.client("dynamodb", endpoint_url=self.aws()["AWS_ENDPOINT_URL"])
        tables = sorted({*dynamodb.list_tables()["TableNames"]} & {*environment.values()})
        return {
            "functions": functions,
            "settings": settings,
            "environment": environment,
            "tables": [definition(dynamodb, table) for table in tables],
            "outputs": outputs,
        }


def _publish(path: Path, make: Callable[[], dict[str, Any]]) -> None:
    try:
        outcome: dict[str, Any] = {"made": make()}
    except BaseException as failure:
        outcome = {"failure": f"{type(failure).__name__}: {failure}"}
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(outcome), encoding="utf-8")
    unfinished.replace(path.with_suffix(".json"))


def _await(path: Path, what: str) -> dict[str, Any]:
    deadline = time.monotonic() + READY_SECONDS
    while not path.with_suffix(".json").exists():
        assert time.monotonic() < deadline, f"{what} was not ready within {READY_SECONDS:.0f} s"
        time.sleep(0.05)
    outcome = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert "made" in outcome, f"{what} could not be had: {outcome['failure']}"
    return dict(outcome["made"])


def _remove_if_empty(folder: Path) -> None:
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()

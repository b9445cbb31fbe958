"""Where the patterns are measured: an AWS with a deployment of each that nobody else uses, removed at the end.

A person's own deployments and their events are never touched: on this machine a local AWS is started on a free port,
on a real account stores with names of their own are deployed.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config

from compare.history.record import Answer
from lambdas.eventstore.remote import RemoteEventStore
from lambdas.eventstore.wire import OPERATIONS, Operation
from local.control import LocalAws
from tools import deployments, targets, terraform
from tools.console import progress
from tools.deploy import deploy
from tools.destroy import destroy
from tools.discovery import Pattern
from tools.targets import Target
from tools.workspaces import Workspace

OWN = "compare"
"""Begins the names of what is deployed for a comparison alone."""


@dataclass(frozen=True)
class Deployed:
    """A pattern, deployed. `state` is Terraform's: every resource that there is."""

    pattern: Pattern
    functions: Mapping[Operation, str]
    environment: Mapping[str, str]
    state: Mapping[str, Any]

    def answer(self) -> Answer:
        """The store as its Lambdas answer. A call is sent once: a client that retries would hide what happens."""
        config = Config(read_timeout=70, retries={"total_max_attempts": 1}, max_pool_connections=50)
        return RemoteEventStore(boto3.client("lambda", config=config), self.functions).call


@contextmanager
def local(patterns: list[Pattern]) -> Iterator[list[Deployed]]:
    """All patterns on a local AWS of their own, to which the environment leads meanwhile."""
    with tempfile.TemporaryDirectory(prefix="event-store-compare-") as folder:
        aws = LocalAws.start(Path(folder) / "local", tell=progress)
        target = targets.local(aws, f"{OWN}-{aws.instance_id}")
        try:
            with _environment(target.environment):
                yield _deploy(patterns, lambda _: target)
        finally:
            terraform.interrupt()
            aws.stop()
            for pattern in patterns:
                deployments.discard(Workspace(pattern, target.name))


@contextmanager
def on_account(target: Target, patterns: list[Pattern]) -> Iterator[list[Deployed]]:
    """All patterns on a real account, as stores of their own that are removed at the end."""
    own = replace(target, name=f"{OWN}-{target.name}")

    def named(pattern: Pattern) -> Target:
        return replace(own, variables={"deletion_protection": "false", "name": f"{OWN}-{pattern.name}"})

    try:
        with _environment(target.environment):
            yield _deploy(patterns, named)
    finally:
        progress("Removing what was deployed for the comparison")
        deployments.each(patterns, lambda pattern: destroy(pattern, own.name, named(pattern)))


def _deploy(patterns: list[Pattern], target_of: Callable[[Pattern], Target]) -> list[Deployed]:
    outputs: dict[str, dict[str, Any]] = {}
    targets = {pattern.name: target_of(pattern) for pattern in patterns}
    deployments.each(patterns, lambda each: outputs.update({each.name: deploy(each, targets[each.name])}))
    return [_described(each, outputs[each.name], Workspace(each, targets[each.name].name)) for each in patterns]


def _described(pattern: Pattern, outputs: Mapping[str, Any], workspace: Workspace) -> Deployed:
    functions = {operation: str(outputs[operation]) for operation in OPERATIONS}
    settings = boto3.client("lambda").get_function_configuration(FunctionName=functions["store_events"])
    state = json.loads(workspace.state.read_text(encoding="utf-8"))
    return Deployed(pattern, functions, settings["Environment"]["Variables"], state)


@contextmanager
def _environment(aws: Mapping[str, str]) -> Iterator[None]:
    """The environment leads to this AWS and has no other AWS settings."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with patch.dict(os.environ, {**others, **aws}, clear=True):
        boto3.DEFAULT_SESSION = None  # its clients lead to another AWS
        yield
    boto3.DEFAULT_SESSION = None

"""Where a pattern is deployed: `local`, `localstack` or `aws`; how to reach it, and which account or instance it is.

Local targets get an environment with no AWS variable of the caller's, so that a forgotten profile or session never
sends test data to a real account. `aws` keeps the caller's environment, and refuses an endpoint that `make env` set.
"""

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local import control
from local.shell import past_proxies
from tools.console import Failure, progress
from tools.discovery import ROOT


@dataclass(frozen=True)
class Target:
    """An AWS that answers. `identity` tells it from one that answered there before: an instance, or an account."""

    name: str
    identity: str
    environment: Mapping[str, str] = field(repr=False)
    variables: Mapping[str, str]
    keeps_nothing: bool = True
    """Whether all that is deployed there ends with it; not on an account."""
    place: str = ""
    """Account and region, as part of a path."""
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Variables that count more than a person's settings, as those of a store that is restored beside another."""

    def client(self, service: str) -> Any:
        """A client of an AWS service there, by the target's profile and configuration file, not the caller's.

        The caller's proxies are for accounts alone.
        """
        environ = self.environment
        session: Any = botocore.session.Session(
            session_vars={
                # As botocore has them, but for the environment variable: name in the file, variable, value, conversion.
                "profile": (None, None, environ.get("AWS_DEFAULT_PROFILE") or environ.get("AWS_PROFILE"), None),
                "config_file": (None, None, environ.get("AWS_CONFIG_FILE", "~/.aws/config"), None),
            }
        )
        return session.create_client(
            service,
            region_name=environ.get("AWS_REGION"),
            endpoint_url=environ.get("AWS_ENDPOINT_URL"),
            aws_access_key_id=environ.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=environ.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=environ.get("AWS_SESSION_TOKEN") or None,
            config=None if self.name == "aws" else Config(proxies={}),
        )


def connect(name: str) -> Target:
    """The target, ready for a deployment: the local AWS is started if it does not run."""
    if name == "local" and not control.find():
        _start_local_aws()
    target = reach(name)
    if not target:
        raise Failure("The local AWS ended right after its start: see .local/aws.log.")
    return target


def reach(name: str) -> Target | None:
    """The target as it is; None for a local AWS that does not run."""
    if name == "local":
        return _local()
    return _localstack() if name == "localstack" else _aws()


def _start_local_aws() -> None:
    up = subprocess.run([sys.executable, "-m", "local", "up"], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
    if up.returncode:
        raise Failure("Nothing was deployed, because the local AWS did not start.")


def _local() -> Target | None:
    aws = control.find()
    return local(aws) if aws else None


def local(aws: control.LocalAws, name: str = "local") -> Target:
    """A given local AWS, such as a test's own. Under another name, its states are kept apart from the usual ones."""
    return Target(name, aws.instance_id, _isolated(aws.environment), _DISPOSABLE)


def _localstack() -> Target:
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "http://localhost:4566")
    region = os.environ.get("AWS_REGION", os.environ.get("AWS_DEFAULT_REGION", "us-east-1"))
    environment = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **past_proxies(urlsplit(endpoint).hostname or endpoint),
    }
    return Target("localstack", _localstack_session(endpoint), _isolated(environment), _DISPOSABLE)


def _localstack_session(endpoint: str) -> str:
    try:
        directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with directly.open(f"{endpoint}/_localstack/info", timeout=5) as answer:
            return str(json.load(answer)["session_id"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(
            f"No LocalStack answers at {endpoint} ({error}): start it, or set AWS_ENDPOINT_URL to where it listens."
        ) from None


_DISPOSABLE = {"deletion_protection": "false"}


def _isolated(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    no_profile = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**kept, **no_profile, "AWS_EC2_METADATA_DISABLED": "true", **environment}


def _aws() -> Target:
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        raise Failure(
            f"AWS_ENDPOINT_URL is {endpoint}, so that TARGET=aws would not reach AWS: unset it and its credentials."
        )
    session: Any = botocore.session.get_session()
    region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
    if not region:
        raise Failure("No AWS region is configured: set AWS_REGION.")
    try:
        account = session.create_client("sts", region_name=region).get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"AWS does not accept your credentials ({error}): sign in, or set AWS_PROFILE.") from None
    environment = {**os.environ, "AWS_REGION": region}
    identity, place = f"account {account}, region {region}", f"{account}/{region}"
    return Target("aws", identity, environment, {}, keeps_nothing=False, place=place)


def consent(target: Target, question: str) -> None:
    """Asks before anything is done that costs money; only `y`, or YES=1 in the environment, goes on."""
    if not target.keeps_nothing:
        progress(f"AWS {target.identity}")
        _agree(question, "YES")


def consent_to_loss(question: str) -> None:
    """Asks before anything is destroyed or replaced by a deployment, which YES=1 does not cover; REPLACE=1 does."""
    _agree(question, "REPLACE")


_answering = threading.Lock()
"""One question at a time, of all the patterns that are deployed at once."""


def _agree(question: str, variable: str) -> None:
    if os.environ.get(variable) == "1":
        return
    if not sys.stdin.isatty():
        raise Failure(f"{question} There is no terminal to answer on: set {variable}=1 to agree.")
    with _answering:
        progress(f"{question} [y/N]")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise Failure("Nothing was done.")

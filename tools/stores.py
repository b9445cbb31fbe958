"""Deployed stores, as a command calls them."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore.remote import InvocationFailed, RemoteEventStore
from lambdas.eventstore.wire import OPERATIONS
from tools import targets
from tools.console import Failure
from tools.discovery import Pattern
from tools.output import outputs

_CONFIG = Config(
    read_timeout=70,  # longer than any of the functions may take
    retries={"mode": "standard", "total_max_attempts": 5},
)


@contextmanager
def deployed(pattern: Pattern, target_name: str) -> Iterator[RemoteEventStore]:
    """The store as its deployed Lambdas answer. Calls that are throttled or lost are repeated by the SDK.

    Raises:
        Failure: it is not deployed, a Lambda failed, or AWS refused a call or is out of reach.
    """
    offers = outputs(pattern, target_name)
    target = targets.reach(target_name)
    assert target, "a deployed pattern has a target"
    os.environ.clear()
    os.environ.update(target.environment)
    functions = {operation: offers[operation] for operation in OPERATIONS}
    try:
        yield RemoteEventStore(boto3.Session().client("lambda", config=_CONFIG), functions)
    except InvocationFailed as failure:
        raise Failure(f"A Lambda of {pattern.name} failed: {failure}. Its log group says why.") from None
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"{pattern.name} on {target_name} cannot be called: {error}") from None


@dataclass(frozen=True)
class Sample:
    """The accounts sample as its deployed Lambdas answer."""

    functions: Mapping[str, str]
    projections: Mapping[str, str]
    """Names of the functions that keep the read models, by projection."""

    def command(self, request: Any) -> dict[str, Any]:
        return self._invoke(self.functions["accounts_command"], request)

    def query(self, request: Any) -> dict[str, Any]:
        return self._invoke(self.functions["accounts_query"], request)

    def projection(self, name: str, request: Any) -> dict[str, Any]:
        return self._invoke(self.projections[name], request)

    def _invoke(self, name: str, request: Any) -> dict[str, Any]:
        client = boto3.Session().client("lambda", config=_CONFIG)
        result = client.invoke(FunctionName=name, Payload=json.dumps(request))
        answer = json.loads(result["Payload"].read())
        if "FunctionError" in result:
            raise InvocationFailed(f"{name}: {answer.get('errorMessage', answer)}")
        return dict(answer)


def sample(pattern: Pattern, target_name: str) -> Sample | None:
    """The accounts sample on a deployed pattern, used inside `deployed`; None where it is not."""
    offers = outputs(pattern, target_name)
    return Sample(offers, offers["accounts_projections"]) if "accounts_command" in offers else None

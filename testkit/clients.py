"""Clients for the tests' own calls: one for each service and caller, since making one costs more than many calls."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import boto3

Caller = tuple[tuple[str, str], ...]


def client(service: str) -> Any:
    """As `boto3.client`, from what the environment says now."""
    return _client(service, caller())


def caller() -> Caller:
    """What the environment says of credentials, region and endpoints."""
    return tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_")))


@lru_cache(maxsize=64)
def _client(service: str, _caller: Caller) -> Any:
    made: Any = boto3.client(service)  # type: ignore[call-overload]  # typed for literal names only
    return made

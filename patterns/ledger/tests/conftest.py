"""AWS inside this process, for a ledger that is not deployed. Clients are made once: each costs a hundred requests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest

from testkit import emulator
from testkit.aws_calls import Watch, watched


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    with pytest.MonkeyPatch.context() as patch, emulator.installed(), watched() as watch:
        for name, value in emulator.ENVIRONMENT.items():
            patch.setenv(name, value)
        yield watch


@cache
def client(service: str) -> Any:
    """For tests that set up and look behind: its calls are not watched."""
    return boto3.client(service)

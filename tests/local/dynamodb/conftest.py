"""The emulator's DynamoDB twice: with our changes, and as it comes."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from testkit import emulator


class Both:
    """Asks the changed and the original DynamoDB the same, over the wire's JSON, and compares what they answer."""

    def __init__(self, changed: ModuleType, original: ModuleType) -> None:
        self.changed, self.original = changed, original

    def reset(self) -> None:
        self.changed.reset()
        self.original.reset()

    def ask(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer of both, with its `status`."""
        changed, original = (answer(module, operation, request) for module in (self.changed, self.original))
        if changed != original:  # no assert, for which pytest would compare them word by word
            raise AssertionError(f"{operation} {request}: {changed} instead of {original}"[:2000])
        return changed


def answer(dynamodb: ModuleType, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """One's answer, with its `status`."""
    status, answered = emulator.ask(dynamodb, operation, request)
    if operation in ("CreateTable", "UpdateTable") and status == 200:
        answered = {}  # has times
    return {**answered, "status": status}


@pytest.fixture(scope="session")
def modules() -> tuple[ModuleType, ModuleType]:
    return emulator.changed_and_original()


@pytest.fixture
def both(modules: tuple[ModuleType, ModuleType]) -> Both:
    return Both(*modules)

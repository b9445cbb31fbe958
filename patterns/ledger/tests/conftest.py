"""AWS inside this process, for a ledger that is not deployed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testkit import emulator
from testkit.aws_calls import Watch, watched


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    with pytest.MonkeyPatch.context() as patch, emulator.installed(), watched() as watch:
        for name, value in emulator.ENVIRONMENT.items():
            patch.setenv(name, value)
        yield watch

"""AWS inside this process, for a ledger that is not deployed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testkit import emulator
from testkit.aws_calls import Watch, watched
from testkit.clients import client

TABLES = "tests-of-ledgers-"
"""What the names of these tests' tables begin with. A module's are removed with it: others list what there is."""


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    with pytest.MonkeyPatch.context() as patch, emulator.installed(), watched() as watch:
        for name, value in emulator.ENVIRONMENT.items():
            patch.setenv(name, value)
        yield watch
        for page in client("dynamodb").get_paginator("list_tables").paginate():
            for name in page["TableNames"]:
                if name.startswith(TABLES):
                    client("dynamodb").delete_table(TableName=name)

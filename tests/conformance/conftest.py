"""Fresh stores for the tests of faults."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from testkit.aws_calls import Watch
from testkit.harness import Harness
from testkit.projections import World
from testkit.trials import Trial
from tools.discovery import Pattern


@pytest.fixture
def trial(harness: Harness, watch: Watch, each_pattern: Pattern) -> Callable[[], Any]:
    @contextmanager
    def on_a_fresh_store() -> Iterator[Trial]:
        environment = harness.fresh()
        try:
            yield Trial(harness, environment, watch, each_pattern.sheet)
        finally:
            harness.discard(environment)

    return on_a_fresh_store


@pytest.fixture
def world(harness: Harness, each_pattern: Pattern) -> Iterator[World]:
    environment = harness.fresh()
    yield World(harness, environment, each_pattern.sheet)
    harness.discard(environment)

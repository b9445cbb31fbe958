"""Projections on the memory store, with their tables in this process."""

from collections.abc import Iterator

import pytest

from lambdas.projections import ReadModel
from testkit.aws_calls import Watch, watched
from testkit.projections import read_model


@pytest.fixture
def watch(emulated: None) -> Iterator[Watch]:
    with watched() as watch:
        yield watch


@pytest.fixture
def model(watch: Watch) -> Iterator[ReadModel]:
    with read_model() as model:
        yield model

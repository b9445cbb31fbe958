from collections.abc import Iterator

import boto3
import pytest

from lambdas.eventstore import aws as clients
from testkit.aws_calls import Watch, watched
from tests.sequencer.world import ModelWorld, World


@pytest.fixture
def world() -> ModelWorld:
    """On a model of DynamoDB."""
    return ModelWorld()


@pytest.fixture
def watch(emulated: None) -> Iterator[Watch]:
    with watched() as watch:
        yield watch


@pytest.fixture
def emulated_world(watch: Watch) -> Iterator[World]:
    """On the local AWS's emulation of DynamoDB."""
    made = World(boto3.client("dynamodb"), lambda: clients.client("dynamodb"))
    yield made
    made.remove()

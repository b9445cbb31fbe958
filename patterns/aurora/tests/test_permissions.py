"""Each role may execute statements on its own cluster, and that is all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore.wire import OPERATIONS
from testkit.harness import Environment
from testkit.permissions import role_like
from testkit.session import Session

from .conftest import PATTERN

FUNCTIONS = [*OPERATIONS, "migrate"]
Call = Callable[[Any, dict[str, str]], object]

OTHER_CALLS: dict[str, Call] = {
    "open a transaction": lambda client, names: client.begin_transaction(**names),
    "execute a batch": lambda client, names: client.batch_execute_statement(
        **names, sql="SELECT :n", parameterSets=[[{"name": "n", "value": {"longValue": 1}}]]
    ),
}


def names_of(environment: Environment) -> dict[str, str]:
    return {
        "resourceArn": environment["CLUSTER_ARN"],
        "secretArn": environment["SECRET_ARN"],
        "database": environment["DATABASE"],
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_executes_statements_on_its_own_cluster_and_no_other(
    session: Session, cluster: Environment, function: str
) -> None:
    deployment = session.deployment(PATTERN.name)
    with role_like(deployment["outputs"][function]) as credentials:
        role, root = boto3.client("rds-data", **credentials), boto3.client("rds-data")
        own, other = names_of(deployment["environment"]), names_of(cluster)
        role.execute_statement(**own, sql="SELECT 1")
        for names in (other, {**own, "secretArn": other["secretArn"]}, {**other, "secretArn": own["secretArn"]}):
            assert denied(partial(role.execute_statement, **names, sql="SELECT 1"))
        root.execute_statement(**other, sql="SELECT 1")


@pytest.mark.parametrize("what", OTHER_CALLS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_is_denied_to(session: Session, aws: None, function: str, what: str) -> None:
    deployment = session.deployment(PATTERN.name)
    names = names_of(deployment["environment"])
    OTHER_CALLS[what](boto3.client("rds-data"), names)
    with role_like(deployment["outputs"][function]) as credentials:
        assert denied(lambda: OTHER_CALLS[what](boto3.client("rds-data", **credentials), names))


def denied(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] == "AccessDeniedException"
    return False

"""Each function may execute statements on its own cluster, as a role that may do its work in it, and that is all."""

from __future__ import annotations

import json
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

from .. import data_api
from .conftest import PATTERN

FUNCTIONS = [*OPERATIONS, "migrate"]
Call = Callable[[Any, dict[str, str]], object]

OTHER_CALLS: dict[str, Call] = {
    "open a transaction": lambda client, names: client.begin_transaction(**names),
    "execute a batch": lambda client, names: client.batch_execute_statement(
        **names, sql="SELECT :n", parameterSets=[[{"name": "n", "value": {"longValue": 1}}]]
    ),
}


def settings(deployment: dict[str, Any], function: str) -> Environment:
    """The environment of the deployed function."""
    name = deployment["outputs"][function]
    found: Environment = boto3.client("lambda").get_function_configuration(FunctionName=name)["Environment"][
        "Variables"
    ]
    return found


def names_of(environment: Environment) -> dict[str, str]:
    return {
        "resourceArn": environment["CLUSTER_ARN"],
        "secretArn": environment["SECRET_ARN"],
        "database": environment["DATABASE"],
    }


_NO_RIGHT = "42501"

FORBIDDEN = {
    "switch off the trigger": "ALTER TABLE events DISABLE TRIGGER events_are_facts",
    "update an event": "UPDATE events SET metadata = '{}'",
    "delete an event": "DELETE FROM events",
    "delete all events": "TRUNCATE events",
    "replace a function": "CREATE OR REPLACE FUNCTION settled() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint'",
    "become the master user": "SET ROLE events",
    "insert a row": "INSERT INTO events VALUES (1, 1, 'forged', 1, rpad('x', 27, '0'), 'T', 1, '{}', 100)",
}
ALLOWED = {
    "append": "SELECT * FROM append_events('[]', NULL, NULL)",
    "read an aggregate": "SELECT * FROM aggregate_page('unknown', 1, 1, 1000)",
    "read the log": "SELECT * FROM read_log(0, 0, 1, 1000)",
    "query the events": "SELECT count(*) FROM events",
}
RIGHTS = {
    "store_events": {"append"},
    "get_aggregate_events": {"read an aggregate", "read the log", "query the events"},
    "get_all_events": {"read an aggregate", "read the log", "query the events"},
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_may_do_its_work_in_the_database_and_nothing_else(
    session: Session, aws: None, operation: str
) -> None:
    client, names = boto3.client("rds-data"), names_of(session.deployment(PATTERN.name)["settings"][operation])

    def refused(sql: str) -> bool:
        """Whether it is for the lack of a right. Whatever took effect is rolled back."""
        transaction = client.begin_transaction(**names)["transactionId"]
        try:
            client.execute_statement(**names, sql=sql, transactionId=transaction)
        except ClientError as error:
            if data_api.sql_state(error) != _NO_RIGHT:
                raise
            return True
        finally:
            cluster = {name: names[name] for name in ("resourceArn", "secretArn")}
            client.rollback_transaction(**cluster, transactionId=transaction)
        return False

    assert {what for what, sql in ALLOWED.items() if not refused(sql)} == RIGHTS[operation]
    assert [what for what, sql in FORBIDDEN.items() if not refused(sql)] == []


def test_a_password_that_is_put_into_a_secret_is_the_one_after_the_next_migration(session: Session, aws: None) -> None:
    deployment, secrets = session.deployment(PATTERN.name), boto3.client("secretsmanager")
    names = names_of(deployment["settings"]["get_all_events"])
    before = json.loads(secrets.get_secret_value(SecretId=names["secretArn"])["SecretString"])
    changed = json.dumps({**before, "password": f"{before['password']}x"})
    secrets.put_secret_value(SecretId=names["secretArn"], SecretString=changed)
    answer = boto3.client("lambda").invoke(FunctionName=deployment["outputs"]["migrate"], Payload=b"{}")

    assert "FunctionError" not in answer
    boto3.client("rds-data").execute_statement(**names, sql="SELECT 1")
    assert before["username"] == "events_reader"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_executes_statements_on_its_own_cluster_and_no_other(
    session: Session, cluster: Environment, function: str
) -> None:
    deployment = session.deployment(PATTERN.name)
    with role_like(deployment["outputs"][function]) as credentials:
        role, root = boto3.client("rds-data", **credentials), boto3.client("rds-data")
        own, other = names_of(settings(deployment, function)), names_of(cluster)
        role.execute_statement(**own, sql="SELECT 1")
        for names in (other, {**own, "secretArn": other["secretArn"]}, {**other, "secretArn": own["secretArn"]}):
            assert denied(partial(role.execute_statement, **names, sql="SELECT 1"))
        root.execute_statement(**other, sql="SELECT 1")


@pytest.mark.parametrize("what", OTHER_CALLS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_is_denied_to(session: Session, aws: None, function: str, what: str) -> None:
    deployment = session.deployment(PATTERN.name)
    names = names_of(settings(deployment, function))
    OTHER_CALLS[what](boto3.client("rds-data"), names)
    with role_like(deployment["outputs"][function]) as credentials:
        assert denied(lambda: OTHER_CALLS[what](boto3.client("rds-data", **credentials), names))


def denied(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] == "AccessDeniedException"
    return False

"""Who may do what: IAM on the cluster and on the secret, and the password in the secret."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tests.local.conftest import client as root_client
from tests.local.data_api.conftest import Database, client

_numbers = count(1)


@pytest.fixture
def allowed(database: Database) -> Callable[..., Database]:
    """The database as a user sees it who is allowed these actions on these resources."""

    def make(*grants: tuple[str, str]) -> Database:
        iam, name = root_client(database.aws, "iam"), f"user-{next(_numbers)}"
        iam.create_user(UserName=name)
        statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in grants]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="grants", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        as_user = client(database.aws, "rds-data", key["AccessKeyId"], key["SecretAccessKey"])
        return Database(database.aws, as_user, database.arn, database.secret)

    return make


def test_a_user_needs_the_action_on_the_cluster_and_the_secret(
    database: Database, allowed: Callable[..., Database]
) -> None:
    user = allowed(("rds-data:ExecuteStatement", database.arn), ("secretsmanager:GetSecretValue", database.secret))
    assert user.rows("SELECT 1") == [[1]]
    assert user.refused(user.begin)[0] == "AccessDeniedException"


def test_without_the_action_on_this_cluster_nothing_is_executed(
    database: Database, table: str, allowed: Callable[..., Database]
) -> None:
    user = allowed(("rds-data:*", f"{database.arn}-other"), ("secretsmanager:GetSecretValue", "*"))
    code, message = user.refused(user.execute, f"INSERT INTO {table} VALUES (1)")
    assert code == "AccessDeniedException"
    assert "rds-data:ExecuteStatement" in message
    assert database.rows(f"SELECT * FROM {table}") == []


def test_without_the_secret_nothing_is_executed(
    database: Database, table: str, allowed: Callable[..., Database]
) -> None:
    user = allowed(("rds-data:*", database.arn))
    code, message = user.refused(user.execute, f"INSERT INTO {table} VALUES (1)")
    assert code == "AccessDeniedException"
    assert f"secretsmanager:GetSecretValue on resource: {database.secret}" in message
    assert user.refused(user.begin)[0] == "AccessDeniedException"
    assert database.rows(f"SELECT * FROM {table}") == []


def test_a_wrong_signature_is_refused(database: Database) -> None:
    iam = root_client(database.aws, "iam")
    iam.create_user(UserName="forged")
    key = iam.create_access_key(UserName="forged")["AccessKey"]
    forger = Database(
        database.aws,
        client(database.aws, "rds-data", key["AccessKeyId"], "guessed"),
        database.arn,
        database.secret,
    )
    assert forger.refused(forger.execute, "SELECT 1")[0] == "InvalidSignatureException"


def test_the_password_in_the_secret_must_be_the_users(database: Database) -> None:
    assert with_secret(database, {"username": "keeper", "password": "guessed"}) == (
        "DatabaseErrorException",
        'ERROR: password authentication failed for user "keeper"; SQLState: 28P01',
    )


def test_a_role_with_a_secret_of_its_own_may_do_what_it_was_granted(database: Database, table: str) -> None:
    database.execute("CREATE ROLE reader LOGIN PASSWORD 'known'")
    database.execute(f"GRANT SELECT ON {table} TO reader")
    secret = create_secret(database, {"username": "reader", "password": "known"})
    reader = Database(database.aws, database.client, database.arn, secret)
    assert reader.rows(f"SELECT * FROM {table}") == []
    _, message = reader.refused(reader.execute, f"INSERT INTO {table} VALUES (1)")
    assert message.endswith("SQLState: 42501")


@pytest.mark.parametrize("content", [{"username": "keeper"}, "no object", {"user": "keeper", "password": "x"}])
def test_a_secret_without_username_and_password_is_refused(database: Database, content: Any) -> None:
    assert with_secret(database, content)[0] == "InvalidSecretException"


def test_an_unknown_or_deleted_secret_is_refused(database: Database) -> None:
    secret = create_secret(database, {"username": "keeper", "password": "x"})
    root_client(database.aws, "secretsmanager").delete_secret(SecretId=secret)
    for arn in (secret, f"{database.secret}-other"):
        other = Database(database.aws, database.client, database.arn, arn)
        assert other.refused(other.execute, "SELECT 1")[0] == "SecretsErrorException"


def test_a_rotated_password_of_the_master_user_counts_at_once(new_database: Database) -> None:
    database = new_database
    old = root_client(database.aws, "secretsmanager").get_secret_value(SecretId=database.secret)
    assert database.rows("SELECT 1") == [[1]]
    name = database.arn.rpartition(":")[2]
    root_client(database.aws, "rds").modify_db_cluster(
        DBClusterIdentifier=name, RotateMasterUserPassword=True, ApplyImmediately=True
    )
    new = root_client(database.aws, "secretsmanager").get_secret_value(SecretId=database.secret)
    assert new["SecretString"] != old["SecretString"]
    assert database.rows("SELECT 1") == [[1]]
    assert with_secret(database, json.loads(old["SecretString"]))[1].endswith("SQLState: 28P01")


def test_the_master_user_is_no_superuser_but_owns_its_databases(database: Database) -> None:
    assert database.rows("SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user") == [
        [False, True, True]
    ]
    assert database.refused(database.execute, "COPY pg_class TO '/tmp/stolen'")[1].endswith("SQLState: 42501")
    assert database.rows("SELECT current_user::text", database="postgres") == [["keeper"]]


def test_no_database_means_the_one_named_like_the_user(database: Database) -> None:
    def without_database() -> Any:
        return database.client.execute_statement(**database.names, sql="SELECT 1")

    refusal = ("DatabaseErrorException", 'ERROR: database "keeper" does not exist; SQLState: 3D000')
    assert database.refused(without_database) == refusal


@pytest.mark.parametrize("part", ["resourceArn", "secretArn", "sql"])
def test_what_is_missing_is_named(database: Database, part: str) -> None:
    members = {**database.names, "sql": "SELECT 1"}
    del members[part]
    code, message = database.refused(database.client.execute_statement, **members)
    assert code in ("ValidationException", "HttpEndpointNotEnabledException")
    assert part in message or part == "resourceArn"


def with_secret(database: Database, content: Any) -> tuple[str, str]:
    other = Database(database.aws, database.client, database.arn, create_secret(database, content))
    return other.refused(other.execute, "SELECT 1")


def create_secret(database: Database, content: Any) -> str:
    secrets = root_client(database.aws, "secretsmanager")
    text = content if isinstance(content, str) else json.dumps(content)
    return str(secrets.create_secret(Name=f"secret-{next(_numbers)}", SecretString=text)["ARN"])

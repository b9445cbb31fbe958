"""Brings the database's schema up to date: the files of migrations/, in order, each once.

A file runs as one block of PL/pgSQL together with its record, so it is there wholly or not at all; a statement that
cannot run in one (CREATE INDEX CONCURRENTLY) cannot be in a migration. It may take longer than the 45 s of a call: it
goes on in the database and is waited for, by the next deployment if not by this one. A failure fails the deployment,
which goes on from that file when it is repeated. Two at a time wait for each other. A file that was applied must not
be changed.

Then the roles that the operations log in as get the passwords in their secrets, which are made where there is none. So
to change a password, put another one into the secret and call this.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore import aws
from lambdas.eventstore.retry import OutOfTime, Retries, time_limit

from . import data_api
from .data_api import Database

FILES = Path(__file__).with_name("migrations")

_LOGINS = {"events_writer": "WRITER_SECRET_ARN", "events_reader": "READER_SECRET_ARN"}
"""The variable of the environment that names the secret of each role."""

_LOCK_NUMBER = 8317905224
"""Any number will do that nothing else locks."""

_LOCK = f"PERFORM pg_advisory_xact_lock({_LOCK_NUMBER});"
_POLL_SECONDS = 2.0

_ANSWER_SECONDS = 0.5
"""Kept back from the invocation's time, for its answer or its error."""

_RECORD = f"""
DO $record$
BEGIN
    {_LOCK}
    CREATE TABLE IF NOT EXISTS migrations (
        name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
    );
END;
$record$
"""

_APPLY = """
DO $migration$
BEGIN
    {lock}
    IF EXISTS (SELECT FROM migrations WHERE name = '{name}') THEN
        RETURN; -- by another, or by this very call, whose answer was lost
    END IF;
    {sql}
    INSERT INTO migrations (name, digest) VALUES ('{name}', '{digest}');
END;
$migration$
"""


class Changed(Exception):
    """A migration is not what was applied."""


class Failed(Exception):
    """A migration was refused by the database. Those before it stay applied."""


@dataclass(frozen=True)
class Migration:
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def handler(event: Any, context: Any) -> dict[str, Any]:
    """The Lambda that Terraform invokes; `{"restored": true}` if the cluster was made from a backup."""
    database = data_api.from_environment(os.environ)
    with time_limit(context.get_remaining_time_in_millis() / 1000 - _ANSWER_SECONDS):
        applied = migrate(database)
        let_in(database, aws.client("secretsmanager"), {role: os.environ[name] for role, name in _LOGINS.items()})
        [[transaction_base]] = database.execute(
            "SELECT continue_after_restore(CAST(:cluster AS text), CAST(:restored AS text)::boolean)",
            cluster=os.environ["CLUSTER_ID"],
            restored=str(bool(event.get("restored"))),
        )
        return {"applied": applied, "transactionBase": transaction_base}


def migrations(folder: Path = FILES) -> list[Migration]:
    return [Migration(file.stem, file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.sql"))]


def migrate(database: Database, folder: Path = FILES) -> list[str]:
    """Applies what is not yet, and gives its names.

    Raises:
        Changed: a file that was applied is not what it was, or is not there any more.
        Failed: the database refused one. Those before it stay applied.
        OutOfTime: one is still running in the database, which goes on with it.
    """
    _wait_for_a_running_one(database)
    database.execute(_RECORD)
    applied: Mapping[str, str] = dict(database.execute("SELECT name, digest FROM migrations"))
    wanted = migrations(folder)
    _check_unchanged(applied, wanted)
    pending = [migration for migration in wanted if migration.name not in applied]
    for migration in pending:
        _apply(database, migration)
    return [migration.name for migration in pending]


def let_in(database: Database, client: Any, logins: Mapping[str, str]) -> None:
    """Gives each role the password in its secret, of which `logins` has the ARN. Again, it changes nothing."""
    for role, arn in logins.items():
        database.execute(
            "SELECT let_in(CAST(:role AS text), CAST(:password AS text), CAST(:writes AS text)::boolean)",
            role=role,
            password=_password(client, role, arn),
            writes=str(role == "events_writer"),
        )


def _password(client: Any, role: str, arn: str) -> str:
    """That in the secret. A new secret, which holds nothing yet, gets one."""
    try:
        secret = client.get_secret_value(SecretId=arn).get("SecretString")
    except ClientError as error:
        if aws.error_code(error) != "ResourceNotFoundException":
            raise
        secret = None  # of a new one; the local AWS answers without it instead
    if not secret:
        secret = json.dumps({"username": role, "password": secrets.token_urlsafe(32)})
        client.put_secret_value(SecretId=arn, SecretString=secret)
    return str(json.loads(secret)["password"])


def _apply(database: Database, migration: Migration) -> None:
    block = _APPLY.format(lock=_LOCK, name=migration.name, sql=migration.sql, digest=migration.digest)
    try:
        ended = database.begin(block)
    except ClientError as error:
        raise Failed(f"migration {migration.name} failed and left nothing; fix it and deploy again: {error}") from error
    if not ended:
        _wait_for_a_running_one(database)
        if not database.execute("SELECT name FROM migrations WHERE name = :name", name=migration.name):
            raise Failed(
                f"migration {migration.name} took longer than a call, then failed and left nothing; the database's log "
                "tells why (aws rds describe-db-log-files); fix it and deploy again"
            )


def _wait_for_a_running_one(database: Database) -> None:
    """Until no migration holds the lock, one of this call or of another."""
    try:
        retries = Retries()
        while True:
            [[free]] = database.execute(f"SELECT pg_try_advisory_xact_lock({_LOCK_NUMBER})")
            if free:
                return
            retries.pause("its lock is held", _POLL_SECONDS)
    except OutOfTime as error:
        raise OutOfTime(f"a migration may be running in the database: deploy again to wait for it ({error})") from error


def _check_unchanged(applied: Mapping[str, str], wanted: Sequence[Migration]) -> None:
    digests = {migration.name: migration.digest for migration in wanted}
    for name, digest in applied.items():
        if digests.get(name) != digest:
            raise Changed(f"migration {name} was applied, and is changed or missing now: put it back and add a new one")

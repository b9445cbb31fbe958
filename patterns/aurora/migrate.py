"""Brings the database's schema up to date: the files of migrations/, in order, each once.

A file runs as one block of PL/pgSQL together with its record, so it is there wholly or not at all; a statement that
cannot run in one (CREATE INDEX CONCURRENTLY) cannot be in a migration. A failure fails the deployment, which goes on
from that file when it is repeated. Two at a time wait for each other. A file that was applied must not be changed.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lambdas.eventstore.retry import time_limit

from . import data_api
from .data_api import Database

FILES = Path(__file__).with_name("migrations")

_LOCK = "PERFORM pg_advisory_xact_lock(8317905224);"
"""Any number will do that nothing else locks."""

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


def handler(_event: Any, context: Any) -> dict[str, Any]:
    """The Lambda that Terraform invokes."""
    with time_limit(context.get_remaining_time_in_millis() / 1000):
        database = data_api.from_environment(os.environ)
        applied = migrate(database)
        [[transaction_base]] = database.execute("SELECT continue_after_restore()")
        return {"applied": applied, "transactionBase": transaction_base}


def migrations(folder: Path = FILES) -> list[Migration]:
    return [Migration(file.stem, file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.sql"))]


def migrate(database: Database, folder: Path = FILES) -> list[str]:
    """Applies what is not yet, and gives its names.

    Raises:
        Changed: a file that was applied is not what it was, or is not there any more.
        Failed: the database refused one. Those before it stay applied.
    """
    database.execute(_RECORD)
    applied: Mapping[str, str] = dict(database.execute("SELECT name, digest FROM migrations"))
    wanted = migrations(folder)
    _check_unchanged(applied, wanted)
    pending = [migration for migration in wanted if migration.name not in applied]
    for migration in pending:
        _apply(database, migration)
    return [migration.name for migration in pending]


def _apply(database: Database, migration: Migration) -> None:
    try:
        database.execute(_APPLY.format(lock=_LOCK, name=migration.name, sql=migration.sql, digest=migration.digest))
    except ClientError as error:
        raise Failed(
            f"migration {migration.name} failed and left nothing; mend it and deploy again: {error}"
        ) from error


def _check_unchanged(applied: Mapping[str, str], wanted: Sequence[Migration]) -> None:
    digests = {migration.name: migration.digest for migration in wanted}
    for name, digest in applied.items():
        if digests.get(name) != digest:
            raise Changed(f"migration {name} was applied, and is changed or missing now: put it back and add a new one")

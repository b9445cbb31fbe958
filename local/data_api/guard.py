"""Runs one PostgreSQL server for as long as its own standard input is open, and leaves nothing behind.

`python guard.py <directory of the PostgreSQL package> [<files of a backup>]`. The first line of its input is the
superuser's password; when the server is ready, it prints the directory of the server's socket. Its caller may end in
any way, even by kill -9: that closes the input, the server is stopped at once, and its data removed. What a killed
guard left is removed by the next one, whereupon PostgreSQL, which looks for its files every minute, stops too. Needs
only the standard library.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "local-aws-postgres-"
SUPERUSER = "rdsadmin"
START_SECONDS = 60.0

# As on RDS: passwords by scram-sha-256, and UTC. The rest is for a laptop: no data here outlives the process anyway.
INITDB = ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--wal-segsize=1", "--no-sync"]
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "max_prepared_transactions": "10",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "replica",  # for backups
    "wal_keep_size": "16MB",
    "max_wal_senders": "0",
    "timezone": "UTC",
}

# A short path, because a socket's may have no more than about 100 characters, and one that every user may enter.
_HOMES = Path("/tmp")


def main() -> None:
    package, *backup = map(Path, sys.argv[1:])
    password = sys.stdin.readline().rstrip("\n")
    os.umask(0o022)
    _remove_abandoned()
    with _home() as home, _server(package, home, password, *backup):
        print(home, flush=True)
        sys.stdin.read()


@contextmanager
def _home() -> Iterator[Path]:
    """A directory that is locked while this process lives, and then removed."""
    home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_HOMES))
    with _locked(home):
        try:
            yield home
        finally:
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _locked(directory: Path, flags: int = 0) -> Iterator[None]:
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | flags)
        yield
    finally:
        os.close(handle)


def _remove_abandoned() -> None:
    for home in _HOMES.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another user's, one that lives, or one that another guard removes
            if time.time() - home.stat().st_mtime < START_SECONDS:
                continue  # perhaps not locked yet
            with _locked(home, fcntl.LOCK_NB):
                shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _server(package: Path, home: Path, password: str, backup: Path | None = None) -> Iterator[None]:
    user, group, groups = _identity()
    _give(home)
    programs = _programs(package, home)
    data = home / "data"
    if backup:
        shutil.copytree(backup, data)
        for path in (data, *data.rglob("*")):
            _give(path)
    else:
        _make(programs, data, password)
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, "-k", home, *settings],
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        user=user,
        group=group,
        extra_groups=groups,
    )
    try:
        _await_ready(process, data / "postmaster.pid")
        yield
    finally:
        process.send_signal(signal.SIGQUIT)  # at once
        process.wait()


def _make(programs: Path, data: Path, password: str) -> None:
    user, group, groups = _identity()
    secret = data.with_name("password")
    secret.write_text(password)
    secret.chmod(0o600)
    _give(secret)
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", SUPERUSER, "--pwfile", secret, *INITDB],
        check=True,
        cwd=data.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        user=user,
        group=group,
        extra_groups=groups,
    )
    secret.unlink()


def _await_ready(process: subprocess.Popen[bytes], status: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not (status.exists() and status.read_text().rstrip().endswith("ready")):
        if process.poll() is not None or time.monotonic() > end:
            sys.exit("PostgreSQL did not start")
        time.sleep(0.01)


def _identity() -> tuple[int | None, int | None, list[int] | None]:
    """User, group and further groups of PostgreSQL, which refuses to run as root; None for what stays as it is."""
    if os.geteuid() != 0:
        return None, None, None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid, []


def _give(path: Path) -> None:
    user, group, _ = _identity()
    if user is not None and group is not None:
        os.chown(path, user, group)


def _programs(package: Path, home: Path) -> Path:
    """Where they are; as root, in a checkout that only root may enter, a copy that PostgreSQL's user can read."""
    if os.geteuid() == 0 and not all(part.stat().st_mode & 0o005 == 0o005 for part in (package, *package.parents)):
        # The libraries are found relative to the programs: beside the package on Linux, inside of it on macOS.
        for part in (package / "pginstall", package / ".dylibs", package.with_name(f"{package.name}.libs")):
            if part.exists():
                copy = home / part.relative_to(package.parent)
                shutil.copytree(part, copy, ignore=shutil.ignore_patterns("include", "*.a"))
        package = home / package.name
    return package / "pginstall" / "bin"


if __name__ == "__main__":
    main()

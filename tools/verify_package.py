"""`python -m tools.verify_package [PATTERN]`: shows that packages are reproducible, by their digests.

With ZIP in the environment, the path of a released package, this checkout builds the package that the zip says it is
and compares the two; check out the release's tag first. Without, it builds packages twice, from copies of the checkout
that differ in all that must not matter: folder, times of files, umask, time zone, locale, hash seed.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from tools import package
from tools.console import Failure, UsageError, progress, result, run
from tools.discovery import ALL, ROOT, Pattern, select

READ = ("lambdas", "local", "patterns", "requirements", "tools")
"""The folders that a build reads, or runs."""


def main() -> None:
    if zip_path := os.environ.get("ZIP"):
        result(against_release(Path(zip_path)))
    else:
        for pattern in select((sys.argv[1:] or [""])[0] or ALL):
            result(against_itself(pattern))


def against_release(released: Path, root: Path = ROOT) -> str:
    """Builds what `released` says it is, and compares.

    Raises:
        UsageError: `released` is not a package.
        Failure: it is one of another version, or its bytes are not those that this checkout builds.
    """
    try:
        with zipfile.ZipFile(released) as content:
            stamp = json.loads(content.read(package.STAMP))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise UsageError(f"ZIP={released} is not a package of a pattern ({error!r}).") from None
    version = package.version(root)
    if stamp["version"] != version:
        theirs = stamp["version"]
        raise Failure(f"{released} is of version {theirs}, and this checkout of {version}: check out v{theirs}.")
    [pattern] = select(stamp["pattern"], root)
    return _same(f"{pattern.name} {version}", released, package.build(pattern, root))


def against_itself(pattern: Pattern) -> str:
    """Builds the package twice, and compares.

    Raises:
        Failure: the bytes differ.
    """
    progress(f"{pattern.name}: two builds")
    with tempfile.TemporaryDirectory() as scratch:
        here = {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}
        one = _build(pattern, Path(scratch, "one"), shutil.copy2, 0o022, here)
        there = {"TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"}
        other = _build(pattern, Path(scratch, "an/other"), shutil.copyfile, 0o077, there)
        return _same(f"{pattern.name} {package.version()}", one, other)


def _build(
    pattern: Pattern, folder: Path, copy: Callable[[str, str], object], umask: int, environ: dict[str, str]
) -> Path:
    for name in READ:
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored, copy_function=copy)
    shutil.copyfile(ROOT / "VERSION", folder / "VERSION")
    command = [sys.executable, "-B", "-m", "tools.package", pattern.name]
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    done = subprocess.run(
        command, cwd=folder, env={**kept, **environ}, umask=umask, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failure(f"The package of {pattern.name} cannot be built in a copy: {done.stderr}")
    return folder / done.stdout.strip()


def _same(what: str, one: Path, other: Path) -> str:
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, other)]
    if digests[0] != digests[1]:
        raise Failure(f"{what}: {one} is {digests[0]}, and the build {digests[1]}. {_difference(one, other)}")
    return f"{what}: {digests[0]}"


def _difference(one: Path, other: Path) -> str:
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        sides = [{entry.filename: entry.CRC for entry in side.infolist()} for side in (first, second)]
    names = sorted({name for name, _ in sides[0].items() ^ sides[1].items()})
    return f"They differ in {', '.join(names)}." if names else "Their files are equal, and zipped in two ways."


if __name__ == "__main__":
    run(main)

"""`python -m tools.package PATTERN`: builds `.build/<pattern>.zip`, the code of all of a pattern's Lambdas.

Same sources, same bytes, on every machine.

Third-party code is copied from the virtual environment that runs this, whose packages were verified against the hashes
in requirements/dev.txt when they were installed; their versions must be those of requirements/lambda.txt. So a build
takes no network and a fraction of a second. It fails when a version differs or the zip grows past its limit.
"""

import os
import re
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from tools import arguments
from tools.console import Failure, result, run
from tools.discovery import ROOT, Pattern

MAX_BYTES = 1_500_000
"""A larger package starts noticeably later: look for what could be pruned before raising this."""

OWN_CODE = {".py", ".json", ".sql"}
NATIVE_CODE = {".so", ".pyd", ".dylib"}

PRUNED = (
    "*.dist-info/*",  # pip writes into it what differs from machine to machine; requirements.txt says what is inside
    "*.pyc",  # made for one version of Python
    "../*",  # commands
    "aws_lambda_powertools/event_handler/*",  # HTTP routing, half of the whole: the operations are invoked directly
    "aws_lambda_powertools/metrics/provider/datadog/*",  # metrics go to CloudWatch
    "aws_lambda_powertools/utilities/auth_alpha/*",
    "aws_lambda_powertools/utilities/circuit_breaker/*",
    "aws_lambda_powertools/utilities/data_masking/*",
    "aws_lambda_powertools/utilities/feature_flags/*",
    "aws_lambda_powertools/utilities/idempotency/*",  # the stores are idempotent by themselves
    "aws_lambda_powertools/utilities/kafka/*",
    "aws_lambda_powertools/utilities/parameters/*",
    "aws_lambda_powertools/utilities/parser/*",  # needs pydantic
    "aws_lambda_powertools/utilities/streaming/*",
    "aws_lambda_powertools/utilities/validation/*",  # the handlers validate with the wire schema
)

_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can hold."""


def main() -> None:
    patterns, _ = arguments.parse("Build the Lambda packages of patterns.")
    for pattern in patterns:
        result(str(build(pattern).relative_to(ROOT)))


def build(pattern: Pattern, root: Path = ROOT) -> Path:
    """Writes the pattern's package and gives its path. No half-written one is ever seen."""
    package = root / ".build" / f"{pattern.name}.zip"
    package.parent.mkdir(exist_ok=True)
    unfinished = package.with_suffix(f".{os.getpid()}")
    _write(unfinished, {**dict(_third_party(root)), **dict(_own(pattern, root))})
    size = unfinished.stat().st_size
    if size > MAX_BYTES:
        unfinished.unlink()
        raise Failure(
            f"The package of {pattern.name} has {size:,} bytes, over {MAX_BYTES:,}: prune it in tools/package.py."
        )
    unfinished.replace(package)
    return package


def _write(path: Path, files: dict[str, Path]) -> None:
    with zipfile.ZipFile(path, "w") as package:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system = 3  # Unix, whatever the machine, for the permissions below
            entry.external_attr = 0o644 << 16
            # Stored: what a deflated file looks like depends on the machine's zlib.
            package.writestr(entry, files[name].read_bytes(), zipfile.ZIP_STORED)


def _own(pattern: Pattern, root: Path) -> Iterator[tuple[str, Path]]:
    folders = [root / "lambdas", pattern.folder]
    for file in [root / "patterns/__init__.py", *(file for folder in folders for file in folder.rglob("*"))]:
        name = file.relative_to(root)
        if file.suffix in OWN_CODE and not {"tests", "__pycache__"}.intersection(name.parts):
            yield name.as_posix(), file


def _third_party(root: Path) -> Iterator[tuple[str, Path]]:
    requirements = root / "requirements/lambda.txt"
    yield "requirements.txt", requirements  # what vulnerability scanners of deployed functions look for
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", requirements.read_text(encoding="utf-8"), re.MULTILINE):
        for file in _installed(name, version).files or []:
            if file.suffix in NATIVE_CODE:
                raise Failure(f"{name} is not pure Python ({file}): it would run on one kind of processor only.")
            if not any(fnmatch(file.as_posix(), pruned) for pruned in PRUNED):
                yield file.as_posix(), Path(str(file.locate()))


def _installed(name: str, version: str) -> Distribution:
    remedy = "run make venv; after changing a requirement, first the command at the top of each requirements/*.txt."
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        raise Failure(f"{name} is not installed here: {remedy}") from None
    if installed.version != version:
        raise Failure(f"{name} {installed.version} is installed, and requirements/lambda.txt has {version}: {remedy}")
    return installed


if __name__ == "__main__":
    run(main)

"""`python -m tools.package PATTERN`: builds `.build/<pattern>.zip`, the code of all of a pattern's Lambdas.

It holds what the Lambdas run and no more: the imports of the handlers and of the pattern's own modules are followed,
through own and third-party code. Same sources, same bytes, on every machine. One more file, `STAMP`, says of which
pattern and version it is: Terraform reads that in the zip and refuses what is not its module's.

Third-party code is copied from the virtual environment that runs this, whose packages were verified against the hashes
in requirements/deploy.txt when they were installed; their versions must be those of requirements/lambda.txt. So a build
takes no network and a fraction of a second. It fails when a version differs or the zip grows past its limit.
"""

import json
import os
import re
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

from tools import arguments
from tools.console import Failure, result, run
from tools.discovery import ROOT, Pattern
from tools.imports import closure

REQUIREMENTS = "requirements/lambda.txt"

MAX_BYTES = 520_000
"""A larger package starts noticeably later: look for what it imports and does not need before raising this."""

DATA = {".json", ".sql"}
NATIVE_CODE = {".so", ".pyd", ".dylib"}

OMITTED = (
    # HTTP routing, larger than all else together. Powertools' JSON encoder imports it when it meets a pydantic model.
    "aws_lambda_powertools/event_handler/",
)
"""Code that a function imports, and that no handler here calls."""

UNDEPLOYED = {"audit.py"}
"""Modules of a pattern that a person's commands run, and none of its Lambdas."""

STAND_INS = {
    # Most of what a cold start would compile, for the one decorator that Powertools imports from it.
    "typing_extensions.py": Path("tools/stand_ins/typing_extensions.py"),
}
"""Files that replace those of the same name: docs/handler-cost.md has what that saves."""

PUSH = "lambdas/projections/push_lambda.py"
"""What a subscription runs: terraform/modules/push."""

STAMP = "eventstore-package.json"
"""The file that says what the zip is; terraform/modules/pattern_identity looks for this name and what follows it."""

_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip can hold."""


def main() -> None:
    patterns, _ = arguments.parse("Build the Lambda packages of patterns.")
    for pattern in patterns:
        result(str(build(pattern).relative_to(ROOT)))


def build(pattern: Pattern, root: Path = ROOT, sample: str | None = None) -> Path:
    """Writes the pattern's package and gives its path. No half-written one is ever seen.

    That of a sample, a folder of examples/, has the sample's Lambdas and the pattern's store in place of the pattern's.
    """
    package = root / ".build" / f"{pattern.name}{f'-{sample}' if sample else ''}.zip"
    package.parent.mkdir(exist_ok=True)
    unfinished = package.with_suffix(f".{os.getpid()}")
    files = {name: file.read_bytes() for name, file in _content(pattern, root, sample).items()}
    _write(unfinished, {STAMP: _stamp(pattern, root), **files})
    size = unfinished.stat().st_size
    if size > MAX_BYTES:
        unfinished.unlink()
        raise Failure(
            f"The package of {package.stem} has {size:,} bytes, over {MAX_BYTES:,}: does it need all that it imports?"
        )
    unfinished.replace(package)
    return package


def version(root: Path = ROOT) -> str:
    """The version of the whole project, which the file VERSION alone states."""
    return (root / "VERSION").read_text(encoding="utf-8").strip()


def _stamp(pattern: Pattern, root: Path) -> bytes:
    return json.dumps({"pattern": pattern.name, "version": version(root)}).encode()


def _write(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as package:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.create_system = 3  # Unix, whatever the machine, for the permissions below
            entry.external_attr = 0o644 << 16
            # Stored: what a deflated file looks like depends on the machine's zlib, and Terraform can read stored ones.
            package.writestr(entry, files[name], zipfile.ZIP_STORED)


def _content(pattern: Pattern, root: Path, sample: str | None) -> dict[str, Path]:
    """The modules that the Lambdas run, with all that these import, and the data of own code."""
    own = dict(_own(pattern, root, sample))
    modules = {name: file for name, file in {**_third_party(root), **own}.items() if file.suffix == ".py"}
    # What lies in a folder of its own there ships as far as that is imported: commands use the rest.
    of_pattern = PurePosixPath("patterns", pattern.name)
    entries = ["lambdas/handlers.py", *(name for name in modules if PurePosixPath(name).parent == of_pattern)]
    if sample:
        lambdas = (name for name in modules if name.startswith(f"examples/{sample}/") and name.endswith("_lambda.py"))
        entries = [f"{of_pattern}/store.py", *(name for name in modules if name == PUSH), *lambdas]
    return {
        "requirements.txt": root / REQUIREMENTS,  # what vulnerability scanners of deployed functions look for
        **{name: modules[name] for name in closure(entries, modules)},
        **{name: file for name, file in own.items() if file.suffix in DATA},
    }


def _own(pattern: Pattern, root: Path, sample: str | None) -> Iterator[tuple[str, Path]]:
    folders = [root / "lambdas", pattern.folder]
    packages = [root / "patterns/__init__.py"]
    if sample:
        folders.append(root / "examples" / sample)
        packages.append(root / "examples/__init__.py")
    for file in [*packages, *(file for folder in folders for file in folder.rglob("*"))]:
        name = file.relative_to(root)
        deployed = name.parent != pattern.folder.relative_to(root) or name.name not in UNDEPLOYED
        if deployed and not any(part in ("tests", "__pycache__") or part.startswith(".") for part in name.parts):
            yield name.as_posix(), file


def _third_party(root: Path) -> dict[str, Path]:
    """All files of the pinned packages. Compiled ones are made for one version of Python, and never ship."""
    files: dict[str, Path] = {}
    pinned = (root / REQUIREMENTS).read_text(encoding="utf-8")
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", pinned, re.MULTILINE):
        for file in _installed(name, version).files or []:
            if file.suffix in NATIVE_CODE:
                raise Failure(f"{name} is not pure Python ({file}): it would run on one kind of processor only.")
            if not file.as_posix().startswith(OMITTED):
                files[file.as_posix()] = Path(str(file.locate()))
    return files | {name: ROOT / file for name, file in STAND_INS.items() if name in files}


def _installed(name: str, version: str) -> Distribution:
    remedy = "run make venv; after changing a requirement, first the command at the top of each requirements/*.txt."
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        raise Failure(f"{name} is not installed here: {remedy}") from None
    if installed.version != version:
        raise Failure(f"{name} {installed.version} is installed, and {REQUIREMENTS} has {version}: {remedy}")
    return installed


if __name__ == "__main__":
    run(main)

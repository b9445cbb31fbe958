"""`python -m tools.release`: writes to `.build/release` what a release consists of.

That is each pattern's package, a wheel, an SBOM (CycloneDX) of what the packages bring from elsewhere, the digests of
all these, and the notes from the changelog. With TAG in the environment, the tag, VERSION and the changelog must agree.
The same checkout gives the same bytes, except that those of the wheel, which is compressed, depend on the machine's
zlib.

The wheel and the SBOM are made by tools in an environment of their own, from requirements/release.txt.
"""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from local import venvs
from local.control import STATE_DIR
from tools import package
from tools.console import Failure, progress, result, run
from tools.discovery import ROOT, patterns

FOLDER = ROOT / ".build/release"
NOTES = "notes.md"
SUMS = "SHA256SUMS"


def main() -> None:
    version = package.version()
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if tag := os.environ.get("TAG"):
        check(tag, version, changelog)
    for file in build(FOLDER, version, changelog):
        result(str(file.relative_to(ROOT)))


def check(tag: str, version: str, changelog: str) -> None:
    """Raises: Failure, if the tag is not that of a version whose release the changelog dates."""
    if tag != f"v{version}":
        raise Failure(f"The tag is {tag!r}, and VERSION has {version}: its tag is v{version}.")
    if not re.search(rf"^## {re.escape(version)} - \d{{4}}-\d{{2}}-\d{{2}}$", changelog, re.MULTILINE):
        raise Failure(f"The changelog has no `## {version} - <date>`: write down what is released, and when.")


def build(folder: Path, version: str, changelog: str) -> list[Path]:
    """Makes `folder` anew and gives the files in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for pattern in patterns():
        progress(f"package of {pattern.name}")
        shutil.copyfile(package.build(pattern), folder / f"{pattern.name}-{version}.zip")
    tools = venvs.ensure(STATE_DIR / "release", ROOT / "requirements/release.txt", progress).parent
    progress("wheel")
    _run([tools / "hatchling", "build", "-t", "wheel", "-d", folder])
    progress("SBOM")
    sbom = folder / "sbom.cdx.json"
    options = ["--pyproject", "pyproject.toml", "--output-reproducible"]
    _run([tools / "cyclonedx-py", "requirements", package.REQUIREMENTS, *options, "--output-file", sbom])
    digests = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(folder.iterdir())]
    (folder / SUMS).write_text("".join(digests), encoding="utf-8")
    (folder / NOTES).write_text(notes(changelog), encoding="utf-8")
    return sorted(folder.iterdir())


def notes(changelog: str) -> str:
    """What the changelog says of its newest version."""
    return re.split(r"^## .*\n", changelog, flags=re.MULTILINE)[1].strip() + "\n"


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"{Path(command[0]).name} failed: {done.stderr or done.stdout}")


if __name__ == "__main__":
    run(main)

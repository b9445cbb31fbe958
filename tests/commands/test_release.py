"""What a release consists of, and that anybody can show it to be built from the checkout."""

import ast
import hashlib
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tools import package, release, verify_package
from tools.console import Failure, UsageError
from tools.discovery import ROOT, patterns, select

CHANGELOG = "# Changelog\n\n## 1.2.0 - 2026-12-01\n\n### Added\n- A thing.\n\n## 1.1.0 - 2026-11-01\n- Another.\n"
VERSION = package.version()


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "one"
    release.build(folder, VERSION, CHANGELOG)
    return folder


@pytest.fixture
def wheel(released: Path, tmp_path: Path) -> Path:
    """Unpacked, as pip does it."""
    with zipfile.ZipFile(next(released.glob("*.whl"))) as content:
        content.extractall(tmp_path)
    return tmp_path


def test_a_release_holds_every_pattern_and_a_digest_of_each_file(released: Path) -> None:
    packages = {f"{pattern.name}-{VERSION}.zip" for pattern in patterns()}
    others = {f"serverless_event_stores-{VERSION}-py3-none-any.whl", "sbom.cdx.json"}
    assert {file.name for file in released.iterdir()} == packages | others | {"SHA256SUMS", "notes.md"}
    sums = dict(line.split("  ")[::-1] for line in (released / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: hashlib.sha256((released / name).read_bytes()).hexdigest() for name in packages | others}


def test_it_is_the_same_whenever_it_is_built(released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    release.build(released.with_name("two"), VERSION, CHANGELOG)
    assert (released.with_name("two") / "SHA256SUMS").read_text() == (released / "SHA256SUMS").read_text()


def test_the_sbom_names_each_pinned_package_with_its_hashes(released: Path) -> None:
    sbom = json.loads((released / "sbom.cdx.json").read_text())
    assert sbom["bomFormat"] == "CycloneDX"
    pinned = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / package.REQUIREMENTS).read_text(), re.MULTILINE)
    assert {part["purl"] for part in sbom["components"]} == {f"pkg:pypi/{name}@{version}" for name, version in pinned}
    assert all(part["externalReferences"][0]["hashes"] for part in sbom["components"])


def test_the_wheel_asks_for_what_it_imports(wheel: Path) -> None:
    imported: set[str] = set()
    for file in wheel.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    elsewhere = imported - sys.stdlib_module_names - {"lambdas", "testkit"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {*project["dependencies"], *project["optional-dependencies"]["testkit"]}
    known = packages_distributions()
    assert {name.lower().replace("_", "-") for module in elsewhere for name in known[module]} == asked - {
        "python-baseconv"
    }


def test_a_pattern_author_elsewhere_needs_no_checkout(wheel: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", ELSEWHERE, str(wheel)], cwd=wheel, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 event\n"


def test_a_package_is_the_same_in_another_folder_time_zone_and_umask() -> None:
    [pattern] = select("ksuid")
    digest = hashlib.sha256(package.build(pattern).read_bytes()).hexdigest()
    assert verify_package.against_itself(pattern) == f"ksuid {VERSION}: {digest}"


def test_a_released_package_is_built_again_and_compared(released: Path) -> None:
    assert verify_package.against_release(released / f"ksuid-{VERSION}.zip").startswith(f"ksuid {VERSION}: ")


def test_a_package_that_was_tampered_with_is_found(released: Path, tmp_path: Path) -> None:
    forged = tmp_path / "ksuid.zip"
    with zipfile.ZipFile(released / f"ksuid-{VERSION}.zip") as original, zipfile.ZipFile(forged, "w") as content:
        for entry in original.infolist():
            more = b"# more\n" if entry.filename == "lambdas/handlers.py" else b""
            content.writestr(entry, original.read(entry) + more)
    with pytest.raises(Failure, match=r"They differ in lambdas/handlers\.py\."):
        verify_package.against_release(forged)


def test_a_package_of_another_version_is_no_forgery(tmp_path: Path) -> None:
    other = tmp_path / "ksuid.zip"
    with zipfile.ZipFile(other, "w") as content:
        content.writestr(package.STAMP, json.dumps({"pattern": "ksuid", "version": "9.9.9"}))
    with pytest.raises(Failure, match=r"is of version 9\.9\.9, and this checkout of .*: check out v9\.9\.9"):
        verify_package.against_release(other)


@pytest.mark.parametrize("file", ["README.md", "no/such.zip"])
def test_what_is_no_package_is_a_usage_error(file: str) -> None:
    with pytest.raises(UsageError, match="is not a package of a pattern"):
        verify_package.against_release(ROOT / file)


def test_a_tag_whose_version_the_changelog_dates_is_released() -> None:
    release.check("v1.2.0", "1.2.0", CHANGELOG)


@pytest.mark.parametrize(
    ("tag", "version", "complaint"),
    [
        ("v1.2.1", "1.2.0", r"its tag is v1\.2\.0"),
        ("1.2.0", "1.2.0", r"its tag is v1\.2\.0"),
        ("v1.3.0", "1.3.0", r"The changelog has no `## 1\.3\.0 - <date>`"),
    ],
)
def test_a_tag_that_does_not_agree_is_refused(tag: str, version: str, complaint: str) -> None:
    with pytest.raises(Failure, match=complaint):
        release.check(tag, version, CHANGELOG)


def test_the_notes_are_the_changelogs_newest_part(released: Path) -> None:
    assert (released / "notes.md").read_text() == "### Added\n- A thing.\n"


ELSEWHERE = """
import sys
from importlib import import_module
from pathlib import Path

wheel = Path(sys.argv[1])
sys.path.insert(0, str(wheel))
for file in [*wheel.glob("lambdas/eventstore/**/*.py"), *wheel.glob("testkit/*.py")]:
    module = import_module(".".join(file.relative_to(wheel).with_suffix("").parts).removesuffix(".__init__"))
    assert module.__file__.startswith(str(wheel)), module

from lambdas.eventstore.memory import MemoryEventStore
from testkit.examples import event
from testkit.subjects import InProcess

class Mine(MemoryEventStore):
    pass

store = InProcess(Mine(), {"guarantees": {"read_all": "strong"}})
store.store(event("a", 1))
assert store.try_to_store(event("a", 1))["error"]["code"] == "VersionConflict"
print(len(store.aggregate("a")), "event")
"""

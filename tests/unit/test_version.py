"""The file VERSION is the only place that states the version, and the documents agree with it."""

import re

from tools import package
from tools.discovery import ROOT

HEADINGS = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
RELEASED = [heading for heading in HEADINGS if re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d{2}-\d{2}", heading)]


def test_the_changelog_begins_with_what_the_version_is() -> None:
    """Between releases the version is the next one's, and says that it is not released."""
    version = package.version()
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.dev0)?", version)
    if version.endswith(".dev0"):
        assert HEADINGS[0] == "Unreleased"
        assert HEADINGS[1:] == RELEASED
    else:
        assert HEADINGS == RELEASED
        assert HEADINGS[0].startswith(f"{version} - ")


def test_the_readme_uses_the_newest_release_or_the_first_one_to_come() -> None:
    newest = RELEASED[0].split(" ")[0] if RELEASED else package.version().removesuffix(".dev0")
    named = re.findall(
        r"(?:\?ref=v|--branch v|ksuid-)(\d+\.\d+\.\d+)", (ROOT / "README.md").read_text(encoding="utf-8")
    )
    assert len(named) >= 3
    assert set(named) == {newest}


def test_versions_rise() -> None:
    def number(version: str) -> tuple[int, ...]:
        return tuple(map(int, version.split(" ")[0].removesuffix(".dev0").split(".")))

    versions = [] if HEADINGS[0] in RELEASED else [package.version()]
    numbers = [number(version) for version in [*versions, *RELEASED]]
    assert numbers == sorted(set(numbers), reverse=True)

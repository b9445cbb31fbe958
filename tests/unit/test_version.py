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


def test_versions_rise() -> None:
    def number(version: str) -> tuple[int, ...]:
        return tuple(map(int, version.split(" ")[0].removesuffix(".dev0").split(".")))

    versions = [] if HEADINGS[0] in RELEASED else [package.version()]
    numbers = [number(version) for version in [*versions, *RELEASED]]
    assert numbers == sorted(set(numbers), reverse=True)

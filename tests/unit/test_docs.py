"""The documents name only what there is: make targets, files, and links between them."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.discovery import ROOT

DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("patterns/*/README.md")])
COMMAND = re.compile(r"(?:\$ |`|\$\()make ([a-z-]+)")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_make_command_that_a_document_shows_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(COMMAND.findall(document.read_text(encoding="utf-8"))) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    assert not [link for link in local_links(document) if not (document.parent / link).exists()]


def test_the_readme_shows_the_two_commands_to_begin_with() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(r"\$ make deploy PATTERN=ksuid\n\$ make test\n", text)


def local_links(document: Path) -> Iterator[str]:
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        if not link.startswith(("https://", "http://", "mailto:")):
            yield link

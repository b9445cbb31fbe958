"""What `make scan` cannot see: that each exception has its reason, and that workflows run what a person can run."""

import re
from pathlib import Path

import pytest

from tools.discovery import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
CHECKOV = (ROOT / ".checkov.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_pinned_by_commit_and_says_its_version(workflow: Path) -> None:
    uses = re.findall(r"^\s*(?:- )?uses: (.*)$", workflow.read_text(encoding="utf-8"), re.MULTILINE)
    assert uses
    foreign = [action for action in uses if not action.startswith("$/")]
    assert not [action for action in foreign if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)]


def test_one_action_has_one_pin() -> None:
    pins = {pin for file in WORKFLOWS for pin in re.findall(r"uses: (\S+)@(\S+)", file.read_text(encoding="utf-8"))}
    assert len({action for action, _ in pins}) == len(pins)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_what_a_person_can_run(workflow: Path) -> None:
    """Then all of it but GitHub's own part is tried here."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for command in re.findall(r"^\s*(?:- )?run: (.*)$", workflow.read_text(encoding="utf-8"), re.MULTILINE):
        program, *arguments = command.split()
        assert program in (".ci/run", "gh") or (program == "make" and arguments[0] in targets), command


def test_each_check_that_is_left_out_has_a_reason() -> None:
    skips = CHECKOV.split("skip-check:\n")[1].splitlines()
    assert skips[0].startswith("  # ")
    names = [line.strip("- ") for line in skips if not line.startswith("  # ")]
    assert names
    assert not [name for name in names if not re.fullmatch(r"CKV2?_AWS_\d+", name)]
    assert len(set(names)) == len(names)

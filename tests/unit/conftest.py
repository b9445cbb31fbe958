"""A checkout in miniature, and a Terraform that plays back what it is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tools.discovery import Pattern

FAKE_TERRAFORM = """#!/bin/sh
if [ "$1" = version ]; then echo '{"terraform_version": "1.11.4"}'; exit; fi
if [ "$1" = init ]; then exit; fi
SCRIPT
"""


@pytest.fixture
def sample(tmp_path: Path) -> Pattern:
    folder = tmp_path / "patterns/sample"
    folder.mkdir(parents=True)
    (folder / "pattern.toml").write_text('title = "Sample"\n')
    return Pattern(folder)


@pytest.fixture
def fake_terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a Terraform on the PATH whose apply and destroy run the given shell script."""

    def install(script: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        executable = folder / "terraform"
        executable.write_text(FAKE_TERRAFORM.replace("SCRIPT", script))
        executable.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        monkeypatch.delenv("TF_PLUGIN_DIR", raising=False)

    return install

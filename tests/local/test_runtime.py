import shutil
from pathlib import Path

import pytest

from local import runtime
from local.errors import LocalAwsError
from local.progress import Tell, silent


def test_an_environment_is_made_once_and_anew_when_its_requirements_change_or_it_is_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv, requirements, made = tmp_path / "venv", tmp_path / "requirements.txt", 0

    def make(venv: Path, requirements: Path, tell: Tell) -> None:
        nonlocal made
        made += 1
        (venv / "bin").mkdir(parents=True, exist_ok=True)
        (venv / "bin" / "python").touch()

    def times_made() -> int:
        runtime.ensure(venv, requirements, silent)
        return made

    monkeypatch.setattr(runtime, "_make", make)
    requirements.write_text("# nothing\n")
    assert times_made() == 1
    assert times_made() == 1
    requirements.write_text("# nothing else\n")
    assert times_made() == 2
    (venv / "made-from").unlink()  # as an interrupted one would lack it
    assert times_made() == 3
    shutil.rmtree(venv / "bin")
    assert times_made() == 4


def test_an_environment_that_cannot_be_made_is_one_clear_line_and_is_not_taken_for_made(
    tmp_path: Path,
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"--no-index\nministack==0.0.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(LocalAwsError, match=r"ERROR: .*ministack==0\.0\.0") as failure:
        runtime.ensure(tmp_path / "venv", requirements, silent)
    assert "\n" not in str(failure.value)
    assert not (tmp_path / "venv" / "made-from").exists()

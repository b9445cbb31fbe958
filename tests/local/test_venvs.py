"""The virtual environments: made once, by one process at a time, whatever a person's pip is set to."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local import venvs
from local.errors import VenvError
from local.launch import CHECKOUT
from local.progress import silent

MAKE = """
import sys
from pathlib import Path
from local import venvs
venvs.ensure(Path(sys.argv[1]), Path(sys.argv[2]), lambda line: print(line, flush=True))
"""


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """Requirements of one package, `tiny`, whose wheel is in `tmp_path / "index"`."""
    wheel = tmp_path / "index/tiny-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny.py", "SIZE = 1\n")
        file.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        file.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("tiny-1.0.dist-info/RECORD", "")
    path = tmp_path / "requirements.txt"
    path.write_text(f"tiny==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    return path


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done to an environment, instead of doing it."""
    done: list[str] = []

    def create(making: venvs._Making) -> None:
        done.append("created")
        venvs.python(making.venv).parent.mkdir(parents=True, exist_ok=True)
        venvs.python(making.venv).touch()
        making.unfinished.unlink(missing_ok=True)
        for stamp in making.venv.glob("made-from-*"):
            stamp.unlink()

    monkeypatch.setattr(venvs._Making, "create", create)
    monkeypatch.setattr(venvs._Making, "install", lambda _, requirements: done.append(requirements.stem))
    return done


def test_an_environment_is_made_once_and_anew_when_it_is_not_what_it_should_be(tmp_path: Path, done: list[str]) -> None:
    venv, requirements = tmp_path / "venv", tmp_path / "some.txt"

    def doings() -> list[str]:
        done.clear()
        venvs.ensure(venv, requirements, silent)
        return done

    requirements.write_text("# nothing\n")
    assert doings() == ["created", "some"]
    assert doings() == []
    requirements.write_text("# nothing else\n")
    assert doings() == ["created", "some"]
    (venv / "made-from-some").unlink()  # as an interrupted one would lack it
    assert doings() == ["created", "some"]
    (venv / "unfinished").touch()
    assert doings() == ["created", "some"]
    venvs.python(venv).unlink()
    venvs.python(venv).symlink_to(tmp_path / "a Python that was removed")
    assert doings() == ["created", "some"]


def test_what_is_needed_later_is_added_to_what_was_made_first(tmp_path: Path, done: list[str]) -> None:
    venv, small, large = tmp_path / "venv", tmp_path / "small.txt", tmp_path / "large.txt"
    small.write_text("# a\n")
    large.write_text("# a, b\n")
    venvs.ensure(venv, small, silent)
    assert done == ["created", "small"]
    venvs.ensure(venv, large, silent, base=small)
    assert done == ["created", "small", "large"]
    large.write_text("# a, c\n")
    venvs.ensure(venv, small, silent)
    assert done == ["created", "small", "large"]
    venvs.ensure(venv, large, silent, base=small)
    assert done == ["created", "small", "large", "created", "small", "large"]


def test_two_commands_at_once_make_it_together_whatever_pip_is_set_to(tmp_path: Path, requirements: Path) -> None:
    venv, settings = tmp_path / "venv", tmp_path / "pip.conf"
    settings.write_text(
        f"[global]\nquiet = 2\nuser = true\nno-index = true\n[install]\nfind-links = {tmp_path / 'index'}\n"
    )
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PIP_")},
        **{"PIP_CONFIG_FILE": str(settings), "PIP_FIND_LINKS": "", "PIP_USER": "1", "PIP_QUIET": "1"},
        **{"PIP_TARGET": str(tmp_path / "elsewhere"), "PIP_DRY_RUN": "1", "PYTHONPATH": str(CHECKOUT)},
    }
    command = [sys.executable, "-c", MAKE, str(venv), str(requirements)]
    both = [
        subprocess.Popen(
            command, cwd=CHECKOUT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(2)
    ]
    said = sorted(one.communicate()[0] for one in both)
    assert [one.returncode for one in both] == [0, 0], said
    assert said[0].startswith("making the Python environment venv")
    assert "installing 1 packages" in said[0]
    assert said[1] == "waiting for another command, which makes venv\n"
    found = subprocess.check_output([venvs.python(venv), "-c", "import tiny; print(tiny.__file__)"], text=True)
    assert Path(found).is_relative_to(venv)


def test_of_pips_settings_those_count_that_say_how_to_reach_an_index(tmp_path: Path) -> None:
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[global]\nquiet = 3\nuser = yes\nindex-url = https://first.example/simple\n"
        "trusted-host =\n  a.example\n  b.example\n"
        "[install]\ndry-run = yes\nindex-url = https://mirror.example/simple\n[download]\nproxy = https://no.example\n"
    )
    others = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    given = {
        **others,
        "PIP_CONFIG_FILE": str(settings),
        "PIP_CERT": "/its own.pem",
        "PIP_TARGET": "/x",
        "PIP_QUIET": "1",
    }

    found = venvs.pip_environment([sys.executable, "-m", "pip"], {**given, "PIP_EXTRA_INDEX_URL": "https://b.example"})

    wanted = {
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PIP_EXTRA_INDEX_URL": "https://b.example",
        "PIP_CERT": "/its own.pem",
        "PIP_CONFIG_FILE": os.devnull,
    }
    assert {name: found[name] for name in wanted} == wanted
    assert found["PIP_TRUSTED_HOST"].split() == ["a.example", "b.example"]
    assert not found.keys() & {"PIP_TARGET", "PIP_USER", "PIP_DRY_RUN", "PIP_QUIET", "PIP_PROXY"}


def test_packages_that_cannot_be_installed_are_one_clear_line_and_what_was_made_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline, `make lint` fails and `make demo` goes on."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    venv, small, large = tmp_path / "venv", tmp_path / "small.txt", tmp_path / "large.txt"
    small.write_text("# nothing\n")
    large.write_text(f"ministack==0.0.0 --hash=sha256:{'0' * 64}\n")
    venvs.python(venv).parent.mkdir(parents=True)
    venvs.python(venv).write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    venvs.python(venv).chmod(0o755)
    venvs.stamp(venv, small).write_text(venvs.wanted(small))

    with pytest.raises(VenvError, match=r"ERROR: .*ministack==0\.0\.0") as failure:
        venvs.ensure(venv, large, silent, base=small)

    assert "\n" not in str(failure.value)
    assert "ministack==0.0.0" in (tmp_path / "venv.log").read_text()
    assert sorted(path.name for path in venv.iterdir()) == ["bin", "made-from-small"]

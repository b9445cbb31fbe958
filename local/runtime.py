"""The virtual environments of the local AWS: the emulator's, and the one its Lambdas run in.

They are two so that a function can import what AWS's runtime offers, and not what the emulator happens to
need. Each is made once, from a pinned requirements file. A stamp, written last, tells a finished environment
from one that was interrupted or made from other requirements; those are made anew. Needs the network, or a
pip cache.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from local.errors import LocalAwsError
from local.locks import exclusive
from local.progress import Tell


def ensure(venv: Path, requirements: Path, tell: Tell) -> Path:
    """The interpreter of the environment `venv`, which is made first if need be."""
    python, stamp = venv / "bin" / "python", venv / "made-from"
    wanted = f"{sys.version_info[:2]} {hashlib.sha256(requirements.read_bytes()).hexdigest()}"
    with exclusive(venv.with_suffix(".lock")):
        if not (python.exists() and stamp.exists() and stamp.read_text() == wanted):
            _make(venv, requirements, tell)
            stamp.write_text(wanted)
    return python


def _make(venv: Path, requirements: Path, tell: Tell) -> None:
    tell(f"making the Python environment {venv.name} (once, some seconds)")
    shutil.rmtree(venv, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(venv)], tell)
    install = [str(venv / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    _run([*install, "--require-hashes", "--requirement", str(requirements)], tell)


def _run(command: list[str], tell: Tell) -> None:
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in map(str.strip, process.stdout):
            said.append(line)
            if line.startswith("Collecting "):
                tell(f"fetching {line.split()[1]}")
    if process.returncode:
        why = next((line for line in said if line.startswith("ERROR")), said[-1] if said else "no message")
        raise LocalAwsError(
            f"The local AWS's Python environment could not be made: {why} Is the package index within reach? "
            "Then run the command again."
        )

"""The checkout's virtual environments: the commands' own, and those of the local AWS.

Each is made from requirements that are pinned by version and hash, by one process at a time. A stamp, written last,
tells what is installed in full. What was interrupted, or was made from other requirements or by another Python, is
made anew. Needs the network, or pip's cache. Imports nothing but the standard library, since it runs before there is
more.

Of a person's pip settings only those count that say how to reach an index. Others, such as `PIP_USER` or `PIP_TARGET`,
would put the packages where nothing finds them (docs/adr/0018-first-command.md).
"""

import ast
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.errors import VenvError
from local.locks import exclusive
from local.progress import Tell

SILENCE_SECONDS = 10.0

_PIP_SETTINGS = {
    *("index-url", "extra-index-url", "no-index", "find-links", "trusted-host", "keyring-provider"),
    *("cert", "client-cert", "proxy", "timeout", "default-timeout", "retries", "cache-dir"),
}
_PIP_SECTIONS = ("global", "install", ":env:")
"""In the order in which pip lets the later override the earlier."""


def ensure(venv: Path, requirements: Path, tell: Tell, base: Path | None = None) -> Path:
    """The interpreter of the environment `venv`, with the requirements installed.

    `base` is a part of the requirements that is installed first, and is complete without the rest.
    """
    layers = [base, requirements] if base else [requirements]
    lock = venv.with_name(f"{venv.name}.lock")
    with exclusive(lock, lambda: tell(f"waiting for another command, which makes {venv.name}")) as held:
        making = _Making(venv, tell, held)
        found = {layer: stamp(venv, layer).read_text() for layer in layers if stamp(venv, layer).exists()}
        other = any(found[layer] != wanted(layer) for layer in found)
        if other or layers[0] not in found or not python(venv).exists() or making.unfinished.exists():
            making.create()
            found = {}
        for layer in layers:
            if layer not in found:
                making.install(layer)
            stamp(venv, layer).write_text(wanted(layer))  # also where it was right: make goes by its time
    return python(venv)


def python(venv: Path) -> Path:
    return venv / "bin" / "python"


def stamp(venv: Path, requirements: Path) -> Path:
    """The file that is there once the requirements are installed in full."""
    return venv / f"made-from-{requirements.stem}"


def wanted(requirements: Path) -> str:
    """What the stamp says."""
    return f"{sys.version_info[:2]} {hashlib.sha256(requirements.read_bytes()).hexdigest()}"


def pip_environment(pip: list[str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`environ` with the settings that count of all that pip has, from variables and from its configuration files."""
    # The list obeys the settings that it lists: quiet would silence it, the others would have it read a single file.
    whole = {f"PIP_{name}": "0" for name in ("QUIET", "USER", "GLOBAL", "SITE", "ISOLATED")}
    command = [*pip, "config", "list"]
    listed = subprocess.run(command, env={**environ, **whole}, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise VenvError(f"pip cannot read its configuration: {(listed.stderr or listed.stdout).strip()}")
    settings: dict[str, tuple[int, str]] = {}
    for section, name, value in re.findall(r"^(\S+)\.([\w-]+)=(['\"].*['\"])$", listed.stdout, re.MULTILINE):
        if name in _PIP_SETTINGS and section in _PIP_SECTIONS and ast.literal_eval(value):
            setting = _PIP_SECTIONS.index(section), str(ast.literal_eval(value))
            settings[name] = max(settings.get(name, setting), setting)
    others = {name: value for name, value in environ.items() if not name.startswith("PIP_")}
    counting = {f"PIP_{name.replace('-', '_').upper()}": value for name, (_, value) in settings.items()}
    return {**others, **counting, "PIP_CONFIG_FILE": os.devnull}


@dataclass(frozen=True)
class _Making:
    """The making of one environment, by the process that holds its lock."""

    venv: Path
    tell: Tell
    lock: int

    @property
    def unfinished(self) -> Path:
        """A file that is there while packages are being installed, and after that was interrupted."""
        return self.venv / "unfinished"

    def create(self) -> None:
        self.tell(f"making the Python environment {self.venv.name} (once)")
        self._run([sys.executable, "-I", "-m", "venv", "--clear", str(self.venv)], os.environ)

    def install(self, requirements: Path) -> None:
        pip = [str(python(self.venv)), "-I", "-m", "pip"]
        install = [*pip, "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off"]
        environ = pip_environment(pip)
        self.unfinished.touch()
        try:
            self._run([*install, "--require-hashes", "--requirement", str(requirements)], environ)
        except VenvError:  # pip ended by itself, with every package whole
            self.unfinished.unlink()
            raise
        self.unfinished.unlink()

    def _run(self, command: list[str], environ: Mapping[str, str]) -> None:
        """Tells in a few words what venv or pip prints. It holds the lock too, in case this process is killed."""
        said: list[str] = []
        with (
            subprocess.Popen(
                command,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                pass_fds=[self.lock],
            ) as process,
            _signs_of_life(self.tell) as doing,
        ):
            assert process.stdout is not None
            for line in map(str.strip, process.stdout):
                said.append(line)
                if words := _in_few_words(line):
                    doing(words)
        if process.returncode:
            log = self.venv.with_name(f"{self.venv.name}.log")
            log.write_text("\n".join([*said, ""]), encoding="utf-8")
            why = next((line for line in said if line.startswith("ERROR")), said[-1] if said else "no message")
            raise VenvError(
                f"The Python environment {self.venv.name} could not be made: {why} Is the package index within reach?"
                f" Then run the same command again. All that was said: {log}"
            )


def _in_few_words(line: str) -> str:
    if line.startswith("Collecting "):
        return f"fetching {line.split()[1]}"
    if line.startswith("Installing collected packages: "):
        return f"installing {line.count(',') + 1} packages"
    return "the package index does not answer: trying again" if "Retrying (" in line else ""


@contextmanager
def _signs_of_life(tell: Tell) -> Iterator[Callable[[str], None]]:
    """Gives a function that tells what is being done; in a silence that is told again, with the time it takes."""
    began, current, ended = time.monotonic(), "at work", threading.Event()

    def begin(words: str) -> None:
        nonlocal current
        current = words
        tell(words)

    def remind() -> None:
        while not ended.wait(SILENCE_SECONDS):
            tell(f"{current} ({time.monotonic() - began:.0f} s)")

    threading.Thread(target=remind, daemon=True).start()
    try:
        yield begin
    finally:
        ended.set()

"""Start, find and stop a local AWS, from Python: `LocalAws.start(state_dir)`, `find(state_dir)`,
`.stop()`.

One local AWS per state directory, even if several processes ask at once. Its descriptor there says where it listens,
and counts only once the process and its health answer have confirmed it. All state is in memory and ends
with the process, so a new `instance_id` means an empty AWS. Started for a test (not `detached`), it ends
when the caller does, even by kill -9. A failure is a `LocalAwsError`, whose message is for a person.
"""

import json
import os
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from local import ports, processes, venvs
from local.errors import LocalAwsError
from local.launch import CHECKOUT, launch
from local.locks import exclusive
from local.progress import Tell, silent
from local.shell import past_proxies

STATE_DIR = CHECKOUT / ".local"
REGION = "us-east-1"
START_SECONDS = 60.0


@dataclass(frozen=True)
class LocalAws:
    """A local AWS that runs, or ran when this was made."""

    state_dir: Path
    instance_id: str
    pid: int
    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def start(cls, state_dir: Path, port: int = 0, *, detached: bool = False, tell: Tell = silent) -> "LocalAws":
        """The one that already runs for `state_dir`, else a new one on `port` (0: a free one), ready."""
        state_dir = state_dir.resolve()
        with exclusive(state_dir / "lock", lambda: tell("waiting for another command, which starts it")):
            if running := find(state_dir):
                return running
            if dead_or_hanging := _read(state_dir):
                dead_or_hanging.stop()
            return _start(state_dir, port, detached=detached, tell=tell)

    @property
    def endpoint(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What an AWS SDK, the AWS CLI or Terraform needs in its environment to use it, as root.

        And no other AWS setting: a profile, a session token or the endpoint of a single service would win.
        """
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            # A person's files may name a profile, other credentials, or an endpoint of a single service.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            **past_proxies(ports.HOST),
        }

    @property
    def log(self) -> Path:
        return self.state_dir / "aws.log"

    def health(self, timeout: float = 10.0) -> dict[str, str] | None:
        """What the server says of itself; None if it is gone, hangs, or another one answers on its port."""
        answer = ports.ask(self.port, timeout)
        return answer if answer and answer["instance"] == self.instance_id else None

    def stop(self) -> None:
        """Ends the server and its Lambda workers, waits until they are gone, and removes what they left."""
        processes.end(self.pid, self.instance_id)
        if self._process:
            self._process.communicate()
        shutil.rmtree(_run_dir(self.state_dir, self.instance_id), ignore_errors=True)
        if self == _read(self.state_dir):
            _descriptor(self.state_dir).unlink(missing_ok=True)


def find(state_dir: Path = STATE_DIR) -> LocalAws | None:
    """The local AWS that runs for `state_dir`, waiting for one that is just starting."""
    described = _read(state_dir.resolve())
    if described and processes.belongs(described.pid, described.instance_id) and described.health():
        return described
    return None


def stop(state_dir: Path = STATE_DIR) -> bool:
    """Stops the local AWS of `state_dir`, even one that hangs, and removes what a killed one left.

    Whether one was running.
    """
    described = _read(state_dir.resolve())
    if not described:
        return False
    was_running = processes.belongs(described.pid, described.instance_id)
    described.stop()
    return was_running


def _start(state_dir: Path, port: int, *, detached: bool, tell: Tell) -> LocalAws:
    pinned = CHECKOUT / "requirements"
    emulator = venvs.ensure(STATE_DIR / "venv", pinned / "local.txt", tell)
    lambdas = venvs.ensure(STATE_DIR / "lambda-runtime", pinned / "runtime.txt", tell)
    tell("starting")
    instance = secrets.token_hex(8)
    run_dir, log = _run_dir(state_dir, instance), state_dir / "aws.log"
    process, port = launch(emulator, lambdas, port, instance, run_dir, log, detached=detached)
    aws = LocalAws(state_dir, instance, process.pid, port, process)
    try:
        _write(aws)
        _await_health(aws, process, tell)
    except BaseException:
        aws.stop()
        raise
    return aws


def _await_health(aws: LocalAws, process: subprocess.Popen[bytes], tell: Tell) -> None:
    began = time.monotonic()
    while not aws.health(timeout=1.0):
        waited = time.monotonic() - began
        if process.poll() is not None or waited > START_SECONDS:
            trouble = "did not answer" if process.poll() is None else "ended"
            raise LocalAwsError(
                f"The local AWS {trouble} within {waited:.0f} s of its start; {aws.log} ends with:\n"
                + _last_lines(aws.log)
            )
        tell(f"starting ({waited:.0f} s)")
        time.sleep(0.05)


def _last_lines(log: Path, count: int = 12) -> str:
    return "\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-count:])


def _run_dir(state_dir: Path, instance: str) -> Path:
    return state_dir / f"run-{instance}"


def _descriptor(state_dir: Path) -> Path:
    return state_dir / "aws.json"


def _write(aws: LocalAws) -> None:
    content = {
        "instance": aws.instance_id,
        "pid": aws.pid,
        "port": aws.port,
        "endpoint": aws.endpoint,
        "log": str(aws.log),
    }
    unfinished = _descriptor(aws.state_dir).with_suffix(".new")
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(unfinished, _descriptor(aws.state_dir))


def _read(state_dir: Path) -> LocalAws | None:
    try:
        content = json.loads(_descriptor(state_dir).read_text())
        return LocalAws(state_dir, str(content["instance"]), int(content["pid"]), int(content["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None

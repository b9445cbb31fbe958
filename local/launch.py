"""Launches the server process: with a socket that already listens, and an environment made for it alone."""

import os
import subprocess
from pathlib import Path

from local import ports
from local.processes import INSTANCE_VARIABLE

CHECKOUT = Path(__file__).resolve().parents[1]


def launch(
    python: Path, lambda_python: Path, port: int, instance: str, run_dir: Path, log: Path, *, detached: bool
) -> tuple[subprocess.Popen[bytes], int]:
    """The server's process and port. Unless `detached`, it ends when its standard input, ours, closes."""
    with ports.listen(port) as listening, log.open("wb") as output:
        handle, port = listening.fileno(), listening.getsockname()[1]
        run_dir.mkdir(parents=True)
        command = [str(python), "-m", "local.server", "--socket", str(handle), "--instance", instance]
        command += ["--run-dir", str(run_dir), "--lambda-python", str(lambda_python)]
        process = subprocess.Popen(
            command if detached else [*command, "--lifeline"],
            cwd=CHECKOUT,
            env=_environment(run_dir, port, instance),
            pass_fds=[handle],
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return process, port


def _environment(run_dir: Path, port: int, instance: str) -> dict[str, str]:
    """All that the server sees, and its Lambda workers inherit: nothing of the caller's but the PATH."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "TZ": "UTC",  # as on Lambda
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        INSTANCE_VARIABLE: instance,
        "HOME": str(run_dir),  # away from the caller's ~/.aws
        "TMPDIR": str(run_dir),
        "STATE_DIR": str(run_dir),
        "GATEWAY_PORT": str(port),
        "AWS_ENDPOINT_URL": f"http://{ports.HOST}:{port}",
        "AUTH": "true",  # enforce IAM
        "IOT_MTLS_ENABLED": "0",  # these two would listen on further ports, on every interface
        "SFTP_ENABLED": "0",
    }

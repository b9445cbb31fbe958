"""A foreign AWS: moto's server on loopback, which a profile leads to as another would lead to an account.

It is not the project's own emulator, knows no events to be late and invokes no Lambda. What `TARGET=aws` does to an
account is tried on it.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ACCOUNT, REGION = "123456789012", "eu-west-1"
START_SECONDS = 60.0
_CONFIG = "[profile foreign]\nregion = {region}\nendpoint_url = {endpoint}\n"
_CREDENTIALS = "[foreign]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\n"


@contextmanager
def foreign(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a person whose profile leads there. The server ends with this."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    endpoint = f"http://127.0.0.1:{port}"
    (folder / "config").write_text(_CONFIG.format(region=REGION, endpoint=endpoint), encoding="utf-8")
    (folder / "credentials").write_text(_CREDENTIALS, encoding="utf-8")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        _await(server, endpoint)
        yield {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_"))},
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
            "AWS_PROFILE": "foreign",
        }
    finally:
        server.terminate()
        server.wait()


def _await(server: "subprocess.Popen[bytes]", endpoint: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert server.poll() is None, "moto's server ended right after its start"
        assert time.monotonic() < deadline, "moto's server did not answer"
        try:
            urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)

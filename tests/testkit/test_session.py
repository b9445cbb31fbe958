"""A session of tests leaves nothing behind when it is stopped."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from testkit.harness import eventually
from tools.discovery import ROOT

WAITS = """
import time

def test_that_waits(aws, session):
    print(session._folder, flush=True)
    time.sleep(60)
"""


def test_a_session_that_is_told_to_end_removes_its_local_aws_and_its_deployments(tmp_path: Path) -> None:
    (tmp_path / "test_waits.py").write_text(WAITS)
    options = ["-s", "-q", "--pattern", "ksuid", "-p", "no:cacheprovider", "-p", "testkit.fixtures"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, env=own, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        folder = Path(running.stdout.readline().strip())
        local = json.loads((folder / "local/aws.json").read_text())
        state = ROOT / f".state/test-{local['instance']}/ksuid"
        eventually((state / "init.log").exists, 30, "the deployment")

        running.send_signal(signal.SIGTERM)

        running.wait(60)
    assert not folder.exists()
    assert not state.parent.exists()
    assert not psutil.pid_exists(local["pid"])

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from local import control, processes, venvs
from local.control import LocalAws, find
from local.errors import LocalAwsError
from local.launch import CHECKOUT

SPINS = """
import pathlib

def handler(event, context):
    pathlib.Path(event).touch()
    while True:
        pass
"""


def test_two_starts_at_once_end_with_one_server(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(LocalAws.start, [tmp_path, tmp_path])
    try:
        assert one == other == find(tmp_path)
    finally:
        one.stop()
        other.stop()


def test_a_stopped_one_leaves_no_process_and_no_files_but_its_log(aws: LocalAws, run: Callable[..., Any]) -> None:
    workers = _spinning(aws, run)
    began = time.monotonic()
    aws.stop()
    assert time.monotonic() - began < 5, "it waited for an invocation under way"
    assert _all_end(workers)
    assert sorted(path.name for path in aws.state_dir.iterdir()) == ["aws.log", "lock"]


def test_one_killed_by_force_is_not_found_and_the_next_start_clears_up_after_it(
    aws: LocalAws, run: Callable[..., Any]
) -> None:
    workers = _spinning(aws, run)
    os.kill(aws.pid, signal.SIGKILL)
    assert find(aws.state_dir) is None
    following = LocalAws.start(aws.state_dir)
    try:
        assert following.instance_id != aws.instance_id
        assert _all_end(workers)
        assert [path.name for path in aws.state_dir.glob("run-*")] == [f"run-{following.instance_id}"]
    finally:
        following.stop()


def test_idle_lambda_workers_end_with_a_server_that_is_killed(aws: LocalAws, run: Callable[..., Any]) -> None:
    run("def handler(event, context): pass")
    workers = _workers_of(aws)
    os.kill(aws.pid, signal.SIGKILL)
    assert _all_end(workers)


def test_a_process_that_only_has_the_number_of_ours_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        descriptor = {"instance": "i", "pid": stranger.pid, "port": 1, "endpoint": "", "log": ""}
        (tmp_path / "aws.json").write_text(json.dumps(descriptor))
        assert find(tmp_path) is None
        assert control.stop(tmp_path) is False
        assert stranger.poll() is None
        stranger.kill()


def test_it_ends_with_the_process_that_started_it_even_by_force(tmp_path: Path) -> None:
    start = (
        "import pathlib, sys, time; from local.control import LocalAws;"
        "print(LocalAws.start(pathlib.Path(sys.argv[1])).pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", start, str(tmp_path)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        server = psutil.Process(int(starter.stdout.readline()))
        starter.kill()
    assert _all_end([server])
    assert not list(tmp_path.glob("run-*"))


def test_a_detached_one_outlives_the_process_that_started_it(tmp_path: Path) -> None:
    start = (
        "import pathlib, sys; from local.control import LocalAws;"
        "LocalAws.start(pathlib.Path(sys.argv[1]), detached=True)"
    )
    subprocess.run([sys.executable, "-c", start, str(tmp_path)], cwd=CHECKOUT, check=True)
    assert find(tmp_path)
    assert control.stop(tmp_path) is True
    assert find(tmp_path) is None


def test_a_taken_port_is_reported_with_its_holder_and_a_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(LocalAwsError) as failure:
            LocalAws.start(tmp_path, port)
    message = str(failure.value)
    assert f"Port {port} is taken by" in message
    assert f"(pid {os.getpid()})" in message
    assert f"LOCAL_AWS_PORT={port + 1}" in message
    assert "\n" not in message
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_port_taken_by_another_local_aws_is_reported_with_its_checkout(aws: LocalAws, tmp_path: Path) -> None:
    with pytest.raises(LocalAwsError, match=f"serves the local AWS of the checkout {CHECKOUT} "):
        LocalAws.start(tmp_path / "another", aws.port)


def test_a_server_that_dies_while_starting_is_reported_with_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(venvs, "ensure", lambda *_: Path(sys.executable))  # which has no emulator
    with pytest.raises(LocalAwsError, match=r"ended within .* of its start.*\n(.*\n)*.*No module named"):
        LocalAws.start(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aws.log", "lock"]


def test_the_health_of_another_instance_on_its_port_does_not_count(aws: LocalAws) -> None:
    assert aws.health()
    assert replace(aws, instance_id="another").health() is None


def test_processes_of_other_instances_do_not_belong(aws: LocalAws) -> None:
    assert processes.belongs(aws.pid, aws.instance_id)
    assert not processes.belongs(aws.pid, "another")
    assert not processes.belongs(os.getpid(), aws.instance_id)


def _spinning(aws: LocalAws, run: Callable[..., Any]) -> list[psutil.Process]:
    """The workers, once one of them is in a function that never returns."""
    spins = aws.state_dir.parent / "spins"

    def invoke() -> None:
        with suppress(Exception):  # the server goes away under it, which is the point
            run(SPINS, str(spins))

    threading.Thread(target=invoke, daemon=True).start()
    deadline = time.monotonic() + 10
    while not spins.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return _workers_of(aws)


def _workers_of(aws: LocalAws) -> list[psutil.Process]:
    workers = psutil.Process(aws.pid).children(recursive=True)
    assert workers
    return workers


def _all_end(some: list[psutil.Process]) -> bool:
    deadline = time.monotonic() + 5
    while any(map(_alive, some)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(_alive, some))


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

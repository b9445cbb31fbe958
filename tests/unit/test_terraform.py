import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import terraform
from tools.console import Failure
from tools.discovery import ROOT, Pattern
from tools.terraform import Workspace

FakeTerraform = Callable[[str], None]

PLANNED = '{"type": "change_summary", "changes": {"add": 2, "change": 0, "remove": 0, "operation": "plan"}}'
MADE = '{"type": "apply_complete", "hook": {"action": "create", "resource": {"addr": "aws_dynamodb_table.this"}}}'
READ = '{"type": "apply_complete", "hook": {"action": "read", "resource": {"addr": "data.aws_region.this"}}}'
FAILED = (
    '{"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "creating Role",'
    ' "address": "aws_iam_role.this", "detail": "AccessDenied."}}'
)


@pytest.fixture
def workspace(sample: Pattern, tmp_path: Path) -> Workspace:
    return Workspace(sample, "local", tmp_path)


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_progress_tells_each_thing_made_on_standard_error(
    fake_terraform: FakeTerraform, workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    fake_terraform(f"echo '{PLANNED}'; echo '{READ}'; echo '{MADE}'")
    terraform.apply(workspace, os.environ, {})
    told = capfd.readouterr()
    assert told.err.splitlines() == ["sample: apply: 2 changes", "sample: apply: [1/2] aws_dynamodb_table.this"]
    assert told.out == ""


def test_a_failure_is_one_line_that_names_the_resource_and_the_log(
    fake_terraform: FakeTerraform, workspace: Workspace
) -> None:
    fake_terraform(f"echo '{FAILED}'; exit 1")
    with pytest.raises(Failure) as raised:
        terraform.apply(workspace, os.environ, {})
    log = workspace.folder / "apply.log"
    assert str(raised.value) == (
        f"sample: apply failed: creating Role (aws_iam_role.this) AccessDenied. The whole log: {log}"
    )
    assert log.read_text() == FAILED + "\n"


def test_a_failure_before_terraform_speaks_json_is_told_whole(
    fake_terraform: FakeTerraform, workspace: Workspace
) -> None:
    fake_terraform("printf 'Error: no provider\\n\\nThe registry is out\\nof reach.\\n'; exit 1")
    with pytest.raises(Failure, match=r"no provider The registry is out of reach\."):
        terraform.apply(workspace, os.environ, {})


def test_a_silent_terraform_shows_that_it_lives(
    fake_terraform: FakeTerraform,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tools.terraform_log.SILENCE_SECONDS", 0.1)
    fake_terraform("sleep 0.5")
    terraform.apply(workspace, os.environ, {})
    assert "sample: apply is at work" in capfd.readouterr().err


def test_state_and_working_data_are_apart_for_each_target_and_pattern(
    fake_terraform: FakeTerraform, workspace: Workspace, tmp_path: Path
) -> None:
    fake_terraform(f'echo "$@" > {tmp_path}/arguments; echo "$TF_DATA_DIR" > {tmp_path}/data')
    terraform.apply(workspace, os.environ, {"deletion_protection": "false"})
    state = tmp_path / ".state/local/sample"
    assert f"-state={state}/terraform.tfstate" in (tmp_path / "arguments").read_text().split()
    assert "-var=deletion_protection=false" in (tmp_path / "arguments").read_text().split()
    assert (tmp_path / "data").read_text().strip() == f"{state}/terraform"


def test_a_killed_command_leaves_terraform_to_finish(
    fake_terraform: FakeTerraform, workspace: Workspace, tmp_path: Path
) -> None:
    started, finished = tmp_path / "started", tmp_path / "finished"
    fake_terraform(f"echo made; touch {started}; sleep 1; echo more; touch {finished}")
    program = (
        "import os; from pathlib import Path; from tools import terraform; from tools.discovery import Pattern;"
        f"terraform.apply(terraform.Workspace(Pattern(Path({str(workspace.pattern.folder)!r})), 'local',"
        f" Path({str(tmp_path)!r})), os.environ, {{}})"
    )
    command = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, start_new_session=True)
    wait_for(started.exists)
    os.killpg(command.pid, signal.SIGKILL)
    command.wait()
    wait_for(finished.exists)


def test_an_interrupt_is_passed_on_to_terraform(
    fake_terraform: FakeTerraform, workspace: Workspace, tmp_path: Path
) -> None:
    started, stopped = tmp_path / "started", tmp_path / "stopped"
    fake_terraform(f"trap 'touch {stopped}; exit 1' INT; touch {started}; while :; do sleep 0.05; done")
    program = (
        "import os, signal; from pathlib import Path; from tools import deployments, terraform;"
        "from tools.discovery import Pattern;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"  # a background job starts with it ignored
        f"pattern, root = Pattern(Path({str(workspace.pattern.folder)!r})), Path({str(tmp_path)!r});"
        "workspace = terraform.Workspace(pattern, 'local', root);"
        "deployments.each([pattern], lambda _: terraform.apply(workspace, os.environ, {}))"
    )
    command = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_for(started.exists)
    command.send_signal(signal.SIGINT)
    _, told = command.communicate(timeout=60)
    assert stopped.exists()
    assert "Stopping once what is under way is done" in told


def test_nothing_deployed_has_no_outputs(workspace: Workspace) -> None:
    assert terraform.outputs(workspace) == {}

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import deploy, settings, terraform
from tools.console import Failure
from tools.discovery import ROOT, Pattern
from tools.targets import Target
from tools.terraform_log import Refusal
from tools.workspaces import Workspace

FakeTerraform = Callable[[str], None]

HERE = Target("local", "instance", os.environ, {})

PLANNED = '{"type": "change_summary", "changes": {"add": 2, "change": 0, "remove": 0, "operation": "plan"}}'
MADE = '{"type": "apply_complete", "hook": {"action": "create", "resource": {"addr": "aws_dynamodb_table.this"}}}'
READ = '{"type": "apply_complete", "hook": {"action": "read", "resource": {"addr": "data.aws_region.this"}}}'
EXISTS = (
    '{"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "creating Role: operation error IAM:'
    " CreateRole, https response error StatusCode: 409, RequestID: 1-2, EntityAlreadyExists: Role orders: it is there."
    '"}}'
)
NOT_OF_AWS = '{"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "the file must exist: protect it"}}'
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
    terraform.apply(workspace, HERE)
    told = capfd.readouterr()
    assert told.err.splitlines() == ["sample: apply: 2 changes", "sample: apply: [1/2] aws_dynamodb_table.this"]
    assert told.out == ""


def test_a_failure_is_one_line_that_names_the_resource_and_the_log(
    fake_terraform: FakeTerraform, workspace: Workspace
) -> None:
    fake_terraform(f"echo '{FAILED}'; exit 1")
    with pytest.raises(Failure) as raised:
        terraform.apply(workspace, HERE)
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
        terraform.apply(workspace, HERE)


def test_a_silent_terraform_shows_that_it_lives(
    fake_terraform: FakeTerraform,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tools.terraform_log.SILENCE_SECONDS", 0.1)
    fake_terraform("sleep 0.5")
    terraform.apply(workspace, HERE)
    assert "sample: apply is at work" in capfd.readouterr().err


def test_state_and_working_data_are_apart_for_each_target_and_pattern(
    fake_terraform: FakeTerraform, workspace: Workspace, tmp_path: Path
) -> None:
    fake_terraform(f'echo "$@" > {tmp_path}/arguments; echo "$TF_DATA_DIR" > {tmp_path}/data')
    terraform.apply(workspace, Target("local", "instance", os.environ, {"deletion_protection": "false"}))
    state = tmp_path / ".state/local/sample"
    assert f"-state={state}/terraform.tfstate" in (tmp_path / "arguments").read_text().split()
    assert "-var=deletion_protection=false" in (tmp_path / "arguments").read_text().split()
    assert (tmp_path / "data").read_text().strip() == f"{state}/terraform"


def test_of_the_callers_shell_terraform_sees_the_machine_the_network_and_aws_alone(
    fake_terraform: FakeTerraform, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = {"AWS_PROFILE": "p", "HTTPS_PROXY": "h", "no_proxy": "n", "SSL_CERT_FILE": "s", "TF_LOG": "INFO"}
    deciding = {
        "TF_VAR_name": "orders",
        "TF_CLI_ARGS": "-x",
        "TF_CLI_ARGS_apply": "-destroy",
        "TF_CLI_ARGS_output": "-x",
        "TF_WORKSPACE": "other",
        "TF_IGNORE": "trace",
        "TF_INPUT": "1",
    }
    for name, value in {**passed, **deciding}.items():
        monkeypatch.setenv(name, value)
    fake_terraform(f"env > {tmp_path}/seen")
    terraform.apply(workspace, HERE)
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines())
    assert {**passed, "PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}.items() <= seen.items()
    assert not deciding.keys() & seen.keys()


def test_settings_are_a_file_that_counts_more_than_what_the_target_sets(
    fake_terraform: FakeTerraform, workspace: Workspace, tmp_path: Path
) -> None:
    workspace.settings.parent.mkdir(parents=True)
    workspace.settings.write_text("shards = 4\n")
    fake_terraform(f'echo "$@" > {tmp_path}/arguments')
    terraform.apply(workspace, Target("local", "instance", os.environ, {"name": "orders"}))
    arguments = (tmp_path / "arguments").read_text().split()
    assert workspace.settings == tmp_path / "settings/local/sample.tfvars"
    assert arguments.index("-var=name=orders") < arguments.index(f"-var-file={workspace.settings}")


def test_settings_that_are_gone_are_not_taken_for_the_defaults(workspace: Workspace) -> None:
    workspace.folder.mkdir(parents=True)
    settings.remember(workspace)
    workspace.settings.parent.mkdir(parents=True)
    workspace.settings.write_text("shards = 4\n")
    settings.remember(workspace)
    workspace.settings.unlink()
    with pytest.raises(
        Failure, match=r"settings/local/sample\.tfvars, which is gone: put it back \(\.state/.* is a copy"
    ):
        settings.remember(workspace)
    assert workspace.deployed_settings.read_text() == "shards = 4\n"
    workspace.settings.write_text("")
    settings.remember(workspace)


def test_a_warning_such_as_of_a_misspelt_setting_is_shown(
    fake_terraform: FakeTerraform, workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    warning = {"type": "diagnostic", "diagnostic": {"severity": "warning", "summary": "Value for undeclared variable"}}
    fake_terraform(f"echo '{json.dumps(warning)}'")
    terraform.apply(workspace, HERE)
    assert "warning: Value for undeclared variable" in capfd.readouterr().err


def test_a_failure_tells_what_aws_answered_by_operation_and_code(
    fake_terraform: FakeTerraform, workspace: Workspace
) -> None:
    fake_terraform(f"echo '{EXISTS}'; echo '{NOT_OF_AWS}'; exit 1")
    with pytest.raises(terraform.TerraformFailure) as raised:
        terraform.apply(workspace, HERE)
    assert raised.value.refusals == {Refusal("CreateRole", "EntityAlreadyExists")}
    assert "the file must exist: protect it" in raised.value.summaries


@pytest.mark.parametrize(("error", "advised"), [(EXISTS, True), (NOT_OF_AWS, False), (FAILED, False)])
def test_starting_afresh_is_advised_when_aws_says_that_something_exists_and_for_nothing_else(
    fake_terraform: FakeTerraform, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, error: str, advised: bool
) -> None:
    monkeypatch.setattr("tools.package.build", lambda pattern: None)
    fake_terraform(f"echo '{error}'; exit 1")
    with pytest.raises(Failure) as raised:
        deploy.deploy(workspace.pattern, HERE, workspace.root)
    assert ("make down" in str(raised.value)) == advised


def test_what_terraform_logs_is_no_part_of_an_error(fake_terraform: FakeTerraform, workspace: Workspace) -> None:
    fake_terraform("printf 'Error: no provider\\n2026-11-25T04:33:21.241Z [INFO]  CLI args\\nmore\\n'; exit 1")
    with pytest.raises(Failure, match=r"failed: no provider\. "):
        terraform.apply(workspace, HERE)


PLAN = """
case "$1" in
plan) for it in "$@"; do case "$it" in -out=*) echo plan > "${it#-out=}";; esac; done;;
show) cat TMP/plan.json;;
apply) echo "$@" >> TMP/applied; SCRIPT;;
esac
"""


@pytest.fixture
def planning(fake_terraform: FakeTerraform, tmp_path: Path) -> Callable[..., None]:
    """A Terraform that plans the given changes, and runs a script when they are applied."""

    def install(*changes: dict[str, object], script: str = "true", applyable: bool = True) -> None:
        plan = {"applyable": applyable, "resource_changes": list(changes)}
        (tmp_path / "plan.json").write_text(json.dumps(plan))
        fake_terraform(PLAN.replace("TMP", str(tmp_path)).replace("SCRIPT", script))

    return install


def planned(address: str, *actions: str, before: object = None, after: object = None) -> dict[str, object]:
    change = {"actions": list(actions), "before": before, "after": after}
    return {"address": address, "mode": "managed", "type": address.split(".")[0], "change": change}


def test_the_plan_that_was_reviewed_is_what_is_applied(
    planning: Callable[..., None], workspace: Workspace, tmp_path: Path
) -> None:
    planning(planned("aws_sqs_queue.this", "create"))
    reviewed: list[object] = []
    terraform.apply(workspace, HERE, lambda plan: reviewed.extend(plan["resource_changes"]))
    assert reviewed == [planned("aws_sqs_queue.this", "create")]
    assert (tmp_path / "applied").read_text().strip().endswith(str(workspace.folder / "plan"))


def test_a_plan_that_is_refused_is_not_applied(
    planning: Callable[..., None], workspace: Workspace, tmp_path: Path
) -> None:
    def refuse(plan: object) -> None:
        raise Failure("no")

    planning(planned("aws_sqs_queue.this", "create"))
    for change in (terraform.apply, terraform.destroy):
        with pytest.raises(Failure, match="no"):
            change(workspace, HERE, refuse)
    assert not (tmp_path / "applied").exists()
    assert not (workspace.folder / "plan").exists()


def test_a_plan_without_changes_is_not_applied(
    planning: Callable[..., None], workspace: Workspace, tmp_path: Path
) -> None:
    planning(applyable=False)
    terraform.apply(workspace, HERE, lambda plan: None)
    assert not (tmp_path / "applied").exists()


def test_a_state_that_another_has_changed_meanwhile_is_planned_for_again(
    planning: Callable[..., None], workspace: Workspace, tmp_path: Path
) -> None:
    stale = '{"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "Saved plan is stale"}}'
    once = f"[ -e {tmp_path}/once ] && exit 0; touch {tmp_path}/once; echo '{stale}'; exit 1"
    planning(planned("aws_sqs_queue.this", "create"), script=once)
    reviews: list[object] = []
    terraform.apply(workspace, HERE, reviews.append)
    assert len(reviews) == 2


def test_a_killed_command_leaves_terraform_to_finish(
    fake_terraform: FakeTerraform, workspace: Workspace, tmp_path: Path
) -> None:
    started, finished = tmp_path / "started", tmp_path / "finished"
    fake_terraform(f"echo made; touch {started}; sleep 1; echo more; touch {finished}")
    program = (
        "import os; from pathlib import Path; from tools import terraform;"
        "from tools.workspaces import Workspace; from tools.targets import Target;"
        "from tools.discovery import Pattern;"
        f"terraform.apply(Workspace(Pattern(Path({str(workspace.pattern.folder)!r})), 'local',"
        f" Path({str(tmp_path)!r})), Target('local', 'instance', os.environ, {{}}))"
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
        "from tools.workspaces import Workspace;"
        "from tools.discovery import Pattern; from tools.targets import Target;"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"  # a background job starts with it ignored
        f"pattern, root = Pattern(Path({str(workspace.pattern.folder)!r})), Path({str(tmp_path)!r});"
        "workspace = Workspace(pattern, 'local', root);"
        "here = Target('local', 'instance', os.environ, {});"
        "deployments.each([pattern], lambda _: terraform.apply(workspace, here))"
    )
    command = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_for(started.exists)
    command.send_signal(signal.SIGINT)
    _, told = command.communicate(timeout=60)
    assert stopped.exists()
    assert "Stopping once what is under way is done" in told


def test_nothing_deployed_has_no_outputs(workspace: Workspace) -> None:
    assert terraform.outputs(workspace) == {}

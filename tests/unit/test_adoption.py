import json
from pathlib import Path

from tools.adoption import adopt, unfinished
from tools.plans import Change

TABLE, FUNCTION, ALARM = "aws_dynamodb_table.this", "aws_lambda_function.this", "aws_cloudwatch_metric_alarm.this"


def write_log(log: Path, *entries: tuple[str, str, str]) -> None:
    lines = [
        json.dumps({"type": kind, "hook": {"resource": {"addr": address}, "action": action}})
        for kind, address, action in entries
    ]
    log.write_text("\n".join(["a warning in plain words", *lines, '{"type": "apply_st']))


def planned(address: str, identifier: str, action: str = "create") -> dict[str, object]:
    kind = address.split(".")[0]
    after = {"function_name" if kind == "aws_lambda_function" else "name": identifier}
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "change": {"actions": [action], "before": None, "after": after},
    }


def by_name(change: Change) -> str | None:
    """All of them exist."""
    return str(change.after.get("name") or change.after.get("function_name"))


class FakeTerraform:
    def __init__(self, folder: Path, *changes: dict[str, object]) -> None:
        self.imported: list[tuple[str, ...]] = []
        self.ran: list[str] = []
        self._folder, self._changes = folder, changes

    def __call__(self, verb: str, *arguments: str) -> str | None:
        self.ran.append(verb)
        if verb == "plan":
            (self._folder / "plan").touch()
        if verb == "import":
            self.imported.append(arguments)
        return json.dumps({"resource_changes": self._changes})


def test_what_was_begun_and_neither_made_nor_refused_is_unfinished(tmp_path: Path) -> None:
    log = tmp_path / "apply.log"
    write_log(
        log,
        ("apply_start", TABLE, "create"),
        ("apply_start", FUNCTION, "create"),
        ("apply_start", ALARM, "update"),
        ("apply_complete", TABLE, "create"),
    )
    assert unfinished(log) == {FUNCTION}


def test_an_error_finishes_too(tmp_path: Path) -> None:
    write_log(tmp_path / "apply.log", ("apply_start", FUNCTION, "create"), ("apply_errored", FUNCTION, "create"))
    assert unfinished(tmp_path / "apply.log") == set()


def test_only_what_the_killed_terraform_was_making_is_imported(tmp_path: Path) -> None:
    log = tmp_path / "apply.log"
    write_log(log, ("apply_start", FUNCTION, "create"))
    terraform = FakeTerraform(tmp_path, planned(FUNCTION, "store-events"), planned(TABLE, "somebody-elses"))
    adopt(log, tmp_path / "plan", terraform, by_name, "sample")
    assert terraform.imported == [(FUNCTION, "store-events")]
    assert not (tmp_path / "plan").exists()


def test_what_the_state_knows_by_now_is_left_alone(tmp_path: Path) -> None:
    write_log(tmp_path / "apply.log", ("apply_start", FUNCTION, "create"))
    terraform = FakeTerraform(tmp_path, planned(FUNCTION, "store-events", "no-op"))
    adopt(tmp_path / "apply.log", tmp_path / "plan", terraform, by_name, "sample")
    assert terraform.imported == []


def test_after_an_apply_that_ended_in_order_nothing_is_planned(tmp_path: Path) -> None:
    write_log(tmp_path / "apply.log", ("apply_start", FUNCTION, "create"), ("apply_complete", FUNCTION, "create"))
    terraform = FakeTerraform(tmp_path)
    adopt(tmp_path / "apply.log", tmp_path / "plan", terraform, by_name, "sample")
    adopt(tmp_path / "no.log", tmp_path / "plan", terraform, by_name, "sample")
    assert terraform.ran == []

"""What CONTRIBUTING.md says of a deployed Lambda, done."""

import os
import re
import subprocess
import sys
from pathlib import Path

from testkit.examples import new_id
from testkit.session import Session
from tools.discovery import ROOT, Pattern


def test_the_store_of_a_deployed_lambda_can_be_stepped_through_in_this_process(
    session: Session, aws: None, each_pattern: Pattern, tmp_path: Path
) -> None:
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Debug a deployed Lambda\n")[2]
    [code, *_] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    function = session.deployment(each_pattern.name)["functions"]["store_events"]
    script = tmp_path / "debug.py"
    script.write_text(
        code.replace("eventstore-ksuid-store-events", function).replace('"a"', f'"{new_id()}"'), encoding="utf-8"
    )

    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input="step\nstep\nwhere\ncontinue\n",
        capture_output=True,
        text=True,
        check=True,
    )

    assert "lambdas/eventstore/wire.py" in done.stdout
    assert "'eventId'" in done.stdout

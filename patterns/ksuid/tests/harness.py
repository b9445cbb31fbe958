"""The suite's `ksuid` stores: without a settle window, so that tests need not wait and late events can be shown.

The deployed one has a short window. The window itself is tested in test_late_events.py.
"""

import time
from typing import ClassVar

from testkit import harness
from testkit.harness import Environment
from testkit.schedules import TICK_SECONDS


class Harness(harness.Harness):
    variables: ClassVar = {"settle_ms": "100"}

    def fresh(self) -> Environment:
        return {**super().fresh(), "SETTLE_MS": "0"}

    def drain(self, environment: Environment) -> None:
        time.sleep(TICK_SECONDS)  # reads end before the present tick

"""What each operation costs is what the pattern's sheet says: AWS calls, and DynamoDB's units."""

from dataclasses import astuple
from typing import Any

import pytest

from testkit.aws_calls import Watch
from testkit.capacity import Cost, cost
from testkit.harness import Harness
from testkit.sheet_costs import WORKLOADS
from testkit.subjects import InProcess
from tools.discovery import Pattern


def test_the_sheet_has_the_cost_of_every_workload(each_pattern: Pattern) -> None:
    assert each_pattern.sheet["costs"].keys() == WORKLOADS.keys()


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_costs_what_the_sheet_says(harness: Harness, watch: Watch, each_pattern: Pattern, name: str) -> None:
    promised: dict[str, Any] = each_pattern.sheet["costs"][name]
    environment = harness.fresh()
    prepared, fresh = (InProcess(harness.open(environment), each_pattern.sheet, harness, environment) for _ in range(2))
    step = WORKLOADS[name].prepare(prepared)

    with watch.recording() as calls:
        step(fresh)
    measured = cost(calls).per(WORKLOADS[name].events)
    harness.discard(environment)

    in_the_sheet = Cost(promised["requests"], promised.get("write_units", 0), promised.get("read_units", 0))
    assert astuple(measured) == pytest.approx(astuple(in_the_sheet)), f"measured {measured}, promised {in_the_sheet}"

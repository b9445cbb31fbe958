"""Stores in this process on the whole local AWS: over HTTP, and with IAM enforced.

Faults, races and costs are tried on the emulation inside this process. This shows that they are the same here.
"""

from __future__ import annotations

import pytest

from testkit import faults
from testkit.faults import Fault
from testkit.trials import Trials, later_event, numbers
from tests.conformance.test_costs import test_a_workload_costs_what_the_sheet_says
from tests.conformance.test_faults import append_with

__all__ = ["test_a_workload_costs_what_the_sheet_says"]  # here too


@pytest.fixture
def services() -> None:
    """All of it on the local AWS."""


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_an_append_survives_a_fault_at_each_of_its_calls(trial: Trials, kind: type[Fault]) -> None:
    for number in numbers():
        with trial() as on:
            if not append_with(on, kind(number), later_event(), with_id=True):
                break
    assert number > 0

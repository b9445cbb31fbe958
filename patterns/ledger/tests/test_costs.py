"""What provable history costs an append: at most a tenth of what the store it builds on takes, by both sheets."""

from __future__ import annotations

from typing import Any

import pytest

from tools.discovery import containing, select

APPENDS = ["first_event", "later_event", "command", "ten_events", "ten_aggregates", "conflict", "fifty_appends"]


@pytest.mark.parametrize("workload", APPENDS)
@pytest.mark.parametrize("unit", ["requests", "write_units", "read_units"])
def test_an_append_costs_at_most_a_tenth_more_than_without_proofs(workload: str, unit: str) -> None:
    """The suite holds both sheets to what it measures."""
    [plain] = select("log_first")
    costs: list[dict[str, Any]] = [sheet["costs"][workload] for sheet in (containing(__file__).sheet, plain.sheet)]

    assert costs[0][unit] <= 1.1 * costs[1][unit]

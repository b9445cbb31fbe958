"""What combining is for, beside the pattern that has the same guarantees, in one simulation."""

from __future__ import annotations

from .goodput import PARTITION_WRITE_UNITS, STORES


def test_sixty_four_writers_achieve_five_times_what_they_do_with_transactions_for_a_fifth_of_the_units() -> None:
    combining = STORES["log_first"](64, 3, write_units=PARTITION_WRITE_UNITS)
    others = STORES["transactions"](64, 3, write_units=PARTITION_WRITE_UNITS)

    assert combining.raised == 0
    assert sum(combining.appends) > 5 * sum(others.appends)
    assert combining.write_units / sum(combining.appends) < others.write_units / sum(others.appends) / 5

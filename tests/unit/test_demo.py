"""What the demo prints fits the width that it prints to."""

import json
from io import StringIO

from rich.console import Console

from lambdas.eventstore.memory import MemoryEventStore
from tools import demo

KSUID = "3MaAJAMotDpJYrrDWsYn0Qx7Zk1"
"""As long as an offset of any pattern."""


def test_a_table_of_events_cuts_nothing_however_long_an_offset_is() -> None:
    store, out = MemoryEventStore(), StringIO()
    demo.demo(store, "Demo", Console(file=StringIO(), width=demo._WIDTH))
    stored = [event.at(KSUID) for event in store.get_all_events(None, 100).events]

    Console(file=out, width=demo._WIDTH, highlight=False).print(demo._table(stored))

    lines = out.getvalue().splitlines()[1:]
    assert len(lines) == len(stored) == 6
    for event, line in zip(stored, lines, strict=True):
        shown = (f" {event.aggregate_version} ", event.event_type, json.dumps(event.metadata), KSUID)
        assert not [part for part in shown if part not in line], line

"""The demo fits a terminal of 80 columns, and cuts nothing on a narrower one."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table

from lambdas.eventstore import StoredEvent
from lambdas.eventstore.memory import MemoryEventStore
from tools import demo

KSUID = "3MaAJAMotDpJYrrDWsYn0Qx7Zk1"
"""As long as an offset of any pattern."""


def printed(width: int) -> tuple[list[str], list[StoredEvent]]:
    """The lines of a demo and of its events' log with long offsets, and these events."""
    store, out = MemoryEventStore(), StringIO()
    console = Console(file=out, width=width, highlight=False)
    demo.demo(store, "Demo", console, "at once")
    stored = [event.at(KSUID) for event in store.get_all_events(None, 100).events]
    console.print(demo._log(stored))
    return [line.rstrip() for line in out.getvalue().splitlines()], stored


def test_the_demo_fits_a_terminal() -> None:
    lines, stored = printed(80)
    refusal = lines.index("{"), lines.index("}")
    assert max(len(line) for number, line in enumerate(lines) if not refusal[0] < number < refusal[1]) <= 80
    rows = [line.split() for line in lines]
    josh = [event for event in stored if event.aggregate_id == stored[0].aggregate_id]
    for event in josh[:3]:
        shown = {name: value for name, value in event.metadata.items() if name != "commandId"}
        assert [str(event.aggregate_version), event.event_type, *json.dumps(shown).split()] in rows
    for event in stored:
        assert [KSUID, f"{event.aggregate_id[:8]}…", str(event.aggregate_version), event.event_type] in rows
    assert "Waited 0.0 s for them: in this pattern, readers of all events see an event at once." in " ".join(
        " ".join(lines).split()
    )


@pytest.mark.parametrize("table", [demo._log, demo._aggregate])
def test_on_a_narrow_terminal_nothing_is_cut(table: Callable[[Sequence[StoredEvent]], Table]) -> None:
    _, stored = printed(80)

    def signs(width: int) -> Counter[str]:
        out = StringIO()
        Console(file=out, width=width).print(table(stored))
        return Counter("".join(out.getvalue().split()))

    assert signs(30) == signs(80)

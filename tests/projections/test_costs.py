"""What a projected event costs in units of DynamoDB, and that it costs the same however many there were before."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from lambdas.eventstore import Append, LogPage, NewEvent, StoredEvent
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.projections import Checkpoint, Item, Key, Projection, ReadModel, Runner
from testkit.aws_calls import Watch
from testkit.capacity import cost

EVENTS = 200
"""That are projected: two pages, each with two events of 50 aggregates."""


class LongLog(MemoryEventStore):
    """Its events come behind so many others, which a runner behind them never reads."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self._before = before

    def get_all_events(self, after: str | None, limit: int) -> LogPage:
        assert int(after or 0) >= self._before
        page = super().get_all_events(str(int(after or 0) - self._before), limit)
        events = [event.at(str(int(event.offset or 0) + self._before)) for event in page.events]
        return LogPage(events, events[-1].offset if events else after, page.has_more)


class Counts(Projection):
    """One small item an aggregate."""

    name = "counts"

    def touches(self, event: StoredEvent) -> Collection[Key]:
        return [Key("counts", event.aggregate_id)]

    def apply(self, event: StoredEvent, items: Mapping[Key, Item]) -> Mapping[Key, Item | None]:
        [key] = self.touches(event)
        return {key: {"count": items.get(key, {"count": 0})["count"] + 1}}


@pytest.mark.parametrize("before", [0, 1_000, 100_000])
@pytest.mark.parametrize(
    ("late_seconds", "writes", "reads"),
    # An item, and a mark, is written once a page: 2 WRU; so is the checkpoint once a transaction.
    [(0.0, 2 * (50 * 2 + 2), 2 * 50 + 2), (10.0, 2 * (100 * 2 + 2 * 2), 2 * 100 + 2)],
    ids=["without late events", "with late events"],
)
def test_an_event_costs_the_same_however_many_came_before(
    model: ReadModel, watch: Watch, before: int, late_seconds: float, writes: float, reads: float
) -> None:
    store = LongLog(before)
    for first in range(0, EVENTS, 40):
        pairs = [(f"{number // 2}", number % 2 + 1) for number in range(first, first + 40)]
        store.store_events(Append(tuple(NewEvent(name, version, "COUNTED", 1, {}) for name, version in pairs)))
    if before:
        assert model.commit(1, None, Checkpoint(1, offset=str(before), reached=str(before), applied=before))
    with watch.recording() as calls:
        assert Runner(store, model, Counts(), late_seconds=late_seconds).run().applied == EVENTS
    total = cost(calls)
    assert (total.write_units, total.read_units) == (writes, reads)

"""A projection: a pure function from an event, and the items of the read model that it touches, to the new items.

It calls nothing and keeps nothing. The runner reads the items, applies events in the store's order, and writes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, NamedTuple

from lambdas.eventstore.events import StoredEvent

Item = dict[str, Any]
"""JSON values by name: an item of the read model without its key. Whole numbers are exact up to 38 digits."""


class Key(NamedTuple):
    """Where an item is in its read model. Items of a partition can be listed, in the order of `sort`."""

    partition: str
    sort: str


class Projection(ABC):
    """One read model. Its `name` never changes; `version` counts up whenever other items come of the same events.

    After a change of `version` the projection does nothing until it is rebuilt, while queries go on to read what the
    old version left.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    event_types: ClassVar[frozenset[str] | None] = None
    """The types that it is given; None for all."""

    def wants(self, event: StoredEvent) -> bool:
        return self.event_types is None or event.event_type in self.event_types

    def touches(self, event: StoredEvent) -> Collection[Key]:
        """The items that `apply` has to know. What it only writes need not be among them."""
        return ()

    @abstractmethod
    def apply(self, event: StoredEvent, items: Mapping[Key, Item]) -> Mapping[Key, Item | None]:
        """The items that change, whole; None for one that is to be removed. At most 98, of 400 KB at most each.

        Args:
            event: one that the projection wants, in the latest form of its type that the code knows or an older one.
            items: those among `touches(event)` that exist. They are not to be changed.

        Raises:
            Exception: the event is one that the projection cannot take. It then stops there: see `runner`.
        """

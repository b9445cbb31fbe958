"""Stores of this pattern in the simulation: those that combine, and those that take turns."""

from functools import partial
from typing import Any

from lambdas.eventstore.log_first import combining, pending, store
from lambdas.eventstore.log_first.combining import Combining
from lambdas.eventstore.log_first.store import LogFirstEventStore
from testkit import contention
from testkit.contention import Map, Subject

MODULES = (combining, pending, store)
TABLES = {
    "events": ("aggregateId", "aggregateVersion"),
    "log": ("part", "firstPosition"),
    "pending": ("part", "name"),
}


def opened(client: Any, for_each: Map) -> LogFirstEventStore:
    return LogFirstEventStore(
        client, "events", "log", for_each, combining=lambda events: Combining(client, "pending", events, for_each)
    )


def taking_turns(client: Any, for_each: Map) -> LogFirstEventStore:
    return LogFirstEventStore(client, "events", "log", for_each)


contend = partial(contention.contend, Subject(MODULES, opened, TABLES))
contend_in_turns = partial(contention.contend, Subject(MODULES, taking_turns, TABLES))

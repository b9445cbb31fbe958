"""Stores of this pattern under contention, in the simulation."""

from functools import partial
from typing import Any

from testkit import contention
from testkit.contention import Map, Subject

from .. import store
from ..store import TransactionsEventStore

TABLES = {"events": ("aggregateId", "aggregateVersion"), "log": ("logId", "logKey")}


def opened(client: Any, _for_each: Map) -> TransactionsEventStore:
    return TransactionsEventStore(client, "events", "log")


contend = partial(contention.contend, Subject((store,), opened, TABLES))

"""Stores of this pattern in the simulation; `python -m patterns.log_first.tests.contention` prints what many achieve.

Its latencies are a model, some 4 ms for a read and 6 ms for a put, and no promise for AWS.
"""

from functools import partial
from typing import Any

from lambdas.eventstore.log_first import store
from lambdas.eventstore.log_first.store import LogFirstEventStore
from testkit import contention
from testkit.contention import Map, Subject

TABLES = {"events": ("aggregateId", "aggregateVersion"), "log": ("part", "firstPosition")}


def opened(client: Any, for_each: Map) -> LogFirstEventStore:
    return LogFirstEventStore(client, "events", "log", for_each)


contend = partial(contention.contend, Subject(store, opened, TABLES))


def main() -> None:
    print("writers  events  slowness  appends/s  WRU per append  longest append  raised")
    for slowness, seconds in ((1, 20), (20, 60)):
        for events in (1, 10) if slowness == 1 else (1,):
            for writers in (1, 4, 16, 64):
                outcome = contend(writers, seconds, events, slowness=slowness, write_units=1000.0)
                appends = sum(outcome.appends)
                print(
                    f"{writers:7}  {events:6}  {slowness:8}  {appends / seconds:9.1f}  {outcome.puts / appends:14.1f}"
                    f"  {outcome.waits[-1]:12.2f} s  {outcome.raised:6}",
                    flush=True,
                )


if __name__ == "__main__":
    main()

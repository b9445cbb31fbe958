"""`python -m tests.log_first.goodput` prints what many writers achieve, each a process of its own that never pauses.

In a simulation whose partitions take what AWS's do. Its latencies are a model, some 4 ms for a read and 6 ms for a put,
and no promise for AWS.
"""

from __future__ import annotations

from patterns.log_first.tests import contention as log_first
from patterns.transactions.tests import contention as transactions

STORES = {
    "transactions": transactions.contend,
    "log_first, in turns": log_first.contend_in_turns,
    "log_first": log_first.contend,
}

PARTITION_WRITE_UNITS = 1000.0
"""A second (developerguide/bp-partition-key-design, read 2026-11)."""


def main() -> None:
    print(f"{'':20} writers  events  slowness  appends/s  WRU each  RRU each  median    longest  raised")
    for slowness, seconds in ((1, 10), (20, 60)):
        for events in (1, 10) if slowness == 1 else (1,):
            for name, contend in STORES.items():
                for writers in (1, 4, 16, 64):
                    it = contend(writers, seconds, events, slowness=slowness, write_units=PARTITION_WRITE_UNITS)
                    appends = sum(it.appends)
                    print(
                        f"{name:20} {writers:7}  {events:6}  {slowness:8}  {appends / seconds:9.1f}"
                        f"  {it.write_units / appends:8.1f}  {it.read_units / appends:8.1f}"
                        f"  {it.waits[appends // 2]:6.2f} s  {it.waits[-1]:7.2f} s  {it.raised:6}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()

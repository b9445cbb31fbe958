"""From what an operation uses to what it costs, by a dated table of prices: a million of them, or a month of work.

Usage is measured (requests, units, bytes) or read off what is deployed (keys, alarms, a database). What can be neither
is assumed in `prices.toml`, and named there. Free tiers, discounts and data transfer are left out.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

GB = 1024.0**3
MILLION = 1_000_000
PRICES = Path(__file__).parents[1] / "prices.toml"

Usage = Mapping[str, float]
"""How much is used of each thing that has a price; see `[prices]` for the names."""


def total(*usages: Usage) -> dict[str, float]:
    return {name: sum(usage.get(name, 0.0) for usage in usages) for usage in usages for name in usage}


def times(usage: Usage, factor: float) -> dict[str, float]:
    return {name: amount * factor for name, amount in usage.items()}


@dataclass(frozen=True)
class Prices:
    table: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path = PRICES) -> Self:
        return cls(tomllib.loads(path.read_text(encoding="utf-8")))

    def dollars(self, usage: Usage) -> float:
        """What the usage costs. Something without a price is a KeyError: nothing is free by being forgotten."""
        return sum(self.unit_price(name) * amount for name, amount in usage.items())

    def unit_price(self, name: str) -> float:
        price = self.table["prices"][name]
        return float(price["usd"]) / float(price["per"])

    def assumed(self, name: str) -> float:
        return float(self.table["assumptions"][name]["value"])


@dataclass(frozen=True)
class Infrastructure:
    """What is deployed, as far as it costs money or bounds a batch. `functions` has the MiB of memory by operation."""

    fixed: Usage = field(default_factory=dict)
    """A month of what costs the same whatever is done."""
    functions: Mapping[str, int] = field(default_factory=dict)
    pipeline_memory: tuple[int, ...] = ()
    """MiB of each function that an event passes on its way into the log."""
    batch_size: int = 1
    """Events that the way into the log takes at once, at most."""
    polled_queues: int = 0
    """FIFO queues on that way, from which Lambda receives."""
    backups: bool = False
    pause_seconds: float | None = None
    """Idle time after which a database pauses; None where there is none, infinite where it never does."""


@dataclass(frozen=True)
class Work:
    """What one operation made: its own usage, and how long its function is assumed to have run."""

    usage: Usage
    milliseconds: float
    requests: float = 0.0
    """To a database that is billed by capacity."""

    def plus(self, other: "Work") -> "Work":
        milliseconds, requests = self.milliseconds + other.milliseconds, self.requests + other.requests
        return Work(total(self.usage, other.usage), milliseconds, requests)

    def times(self, factor: float) -> "Work":
        return Work(times(self.usage, factor), self.milliseconds * factor, self.requests * factor)


@dataclass(frozen=True)
class Profile:
    """What was measured of a pattern for events of one size."""

    append: Work
    read_aggregate: Work
    poll: Work
    """Reading all events when there is nothing new."""
    catch_up: Work
    """Reading all events, for each event."""
    pipeline_one: Work
    """The way of one event into the log, alone in its batch."""
    pipeline_more: Work
    """… and of each further event in the same batch."""
    stored_bytes: float


class Costs:
    """The model. All of its inputs are arguments, so that it can be checked by hand."""

    def __init__(self, prices: Prices) -> None:
        self.prices = prices
        self._hours = prices.assumed("hours_per_month")

    def operation(self, work: Work, memory: int) -> Usage:
        """One invocation of a function of so many MiB that does this work."""
        return total(work.usage, self._invocation(work.milliseconds, memory))

    def per_million(self, work: Work, memory: int) -> float:
        return self.prices.dollars(self.operation(work, memory)) * MILLION

    def idle_month(self, there: Infrastructure) -> float:
        """Nobody writes or reads."""
        return self.prices.dollars(total(there.fixed, self._database(there, 0.0, 0.0)))

    def month(self, there: Infrastructure, profile: Profile, rate: float) -> float:
        return self.prices.dollars(self.month_usage(there, profile, rate))

    def month_usage(
        self, there: Infrastructure, profile: Profile, rate: float, *, readers: int = 1, polls_per_second: float = 1.0
    ) -> Usage:
        """Each of `rate` appends a second comes after a reading of its aggregate; readers follow all events, and poll
        so often all together."""
        seconds = self._hours * 3600.0
        appends = rate * seconds
        append = self.operation(profile.append, there.functions["store_events"])
        read_aggregate = self.operation(profile.read_aggregate, there.functions["get_aggregate_events"])
        poll = self.operation(profile.poll, there.functions["get_all_events"])
        requests = rate * (profile.append.requests + profile.read_aggregate.requests)
        return total(
            there.fixed,
            times(total(append, read_aggregate, self.pipeline(there, profile, rate)), appends),
            times(poll, polls_per_second * seconds),
            times(profile.catch_up.usage, appends * readers),
            self._storage(there, profile.stored_bytes * appends / GB),
            self._database(there, requests + polls_per_second * profile.poll.requests, appends),
        )

    def batch(self, there: Infrastructure, appends_per_second: float) -> float:
        """Events that go into the log together: what arrives between two polls, but at least one."""
        arriving = appends_per_second * self.prices.assumed("stream_poll_seconds")
        return min(max(arriving, 1.0), float(there.batch_size))

    def pipeline(self, there: Infrastructure, profile: Profile, appends_per_second: float) -> Usage:
        """The way of one event into the log, by further functions; nothing where there are none."""
        batch = self.batch(there, appends_per_second)
        work = profile.pipeline_one.plus(profile.pipeline_more.times(batch - 1))
        # Which function made which call is not known here: all are billed to the largest, which does the most.
        largest, *others = sorted(there.pipeline_memory, reverse=True) or [0]
        invocations = [self._invocation(0.0, memory) for memory in others]
        if largest:
            invocations.append(self._invocation(work.milliseconds, largest))
        polls = {"sqs_fifo_requests": 2.0 * there.polled_queues}  # a receive and a delete, by Lambda itself
        return times(total(work.usage, polls, *invocations), 1 / batch)

    def _invocation(self, milliseconds: float, memory: int) -> Usage:
        seconds = (self.prices.assumed("handler_ms") + milliseconds) / 1000
        return {
            "lambda_requests": 1.0,
            "lambda_gb_seconds": seconds * memory / 1024,
            "log_gb": self.prices.assumed("log_bytes") / GB,
        }

    def _storage(self, there: Infrastructure, gigabytes: float) -> Usage:
        """Of the month's own events, at its end."""
        if there.pause_seconds is not None:
            return {"aurora_gb_months": gigabytes}
        return {"dynamodb_gb_months": gigabytes, "dynamodb_backup_gb_months": gigabytes * there.backups}

    def _database(self, there: Infrastructure, requests_per_second: float, writes: float) -> Usage:
        """Capacity and I/O of a database that pauses a while after each request."""
        if there.pause_seconds is None:
            return {}
        awake = 1.0 if math.isinf(there.pause_seconds) else min(1.0, requests_per_second * there.pause_seconds)
        busy = self.prices.assumed("acu_per_request_rate") * requests_per_second
        acus = max(self.prices.assumed("acu_awake"), busy)
        io = self.prices.assumed("io_per_write") * writes
        return {"aurora_acu_hours": acus * awake * self._hours, "aurora_io": io}

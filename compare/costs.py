"""From what an operation uses to what it costs, by a dated table of prices: a million of them, or a month of work.

Usage is measured (requests, units, bytes) or read off what is deployed (keys, alarms, a database). What can be neither
is assumed in `prices.toml`, and named there. Free tiers, discounts and data transfer are left out.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

SECONDS_PER_HOUR = 3600.0
GB = 1024.0**3
MILLION = 1_000_000
PRICES = Path(__file__).with_name("prices.toml")

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
    def load(cls, path: Path = PRICES) -> Prices:
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
class Standing:
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

    def plus(self, other: Work, factor: float = 1.0) -> Work:
        return Work(
            total(self.usage, times(other.usage, factor)),
            self.milliseconds + other.milliseconds * factor,
            self.requests + other.requests * factor,
        )


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


@dataclass(frozen=True)
class Load:
    """Each append comes after a reading of its aggregate; readers follow all events, and poll so often all together."""

    appends_per_second: float
    readers: int = 1
    polls_per_second: float = 1.0


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

    def idle_month(self, standing: Standing) -> float:
        """Nobody writes or reads."""
        return self.prices.dollars(total(standing.fixed, self._database(standing, 0.0, 0.0)))

    def month(self, standing: Standing, profile: Profile, load: Load) -> float:
        return self.prices.dollars(self.month_usage(standing, profile, load))

    def month_usage(self, standing: Standing, profile: Profile, load: Load) -> Usage:
        seconds = self._hours * SECONDS_PER_HOUR
        appends = load.appends_per_second * seconds
        append = self.operation(profile.append, standing.functions["store_events"])
        read_aggregate = self.operation(profile.read_aggregate, standing.functions["get_aggregate_events"])
        poll = self.operation(profile.poll, standing.functions["get_all_events"])
        pipeline = self.pipeline(standing, profile, load.appends_per_second)
        requests = load.appends_per_second * (profile.append.requests + profile.read_aggregate.requests)
        return total(
            standing.fixed,
            times(total(append, read_aggregate, pipeline), appends),
            times(poll, load.polls_per_second * seconds),
            times(profile.catch_up.usage, appends * load.readers),
            self._storage(standing, profile.stored_bytes * appends / GB),
            self._database(standing, requests + load.polls_per_second * profile.poll.requests, appends),
        )

    def batch(self, standing: Standing, appends_per_second: float) -> float:
        """Events that go into the log together: what arrives between two polls, but at least one."""
        arriving = appends_per_second * self.prices.assumed("stream_poll_seconds")
        return min(max(arriving, 1.0), float(standing.batch_size))

    def pipeline(self, standing: Standing, profile: Profile, appends_per_second: float) -> Usage:
        """The way of one event into the log, by further functions; nothing where there are none."""
        batch = self.batch(standing, appends_per_second)
        work = profile.pipeline_one.plus(profile.pipeline_more, batch - 1)
        # Which function made which call is not known here: all are billed to the largest, which does the most.
        largest, *others = sorted(standing.pipeline_memory, reverse=True) or [0]
        invocations = [self._invocation(0.0, memory) for memory in others]
        if largest:
            invocations.append(self._invocation(work.milliseconds, largest))
        polls = {"sqs_fifo_requests": 2.0 * standing.polled_queues}  # a receive and a delete, by Lambda itself
        return times(total(work.usage, polls, *invocations), 1 / batch)

    def _invocation(self, milliseconds: float, memory: int) -> Usage:
        seconds = (self.prices.assumed("handler_ms") + milliseconds) / 1000
        return {
            "lambda_requests": 1.0,
            "lambda_gb_seconds": seconds * memory / 1024,
            "log_gb": self.prices.assumed("log_bytes") / GB,
        }

    def _storage(self, standing: Standing, gigabytes: float) -> Usage:
        """Of the month's own events, at its end."""
        if standing.pause_seconds is not None:
            return {"aurora_gb_months": gigabytes}
        return {"dynamodb_gb_months": gigabytes, "dynamodb_backup_gb_months": gigabytes * standing.backups}

    def _database(self, standing: Standing, requests_per_second: float, writes: float) -> Usage:
        """Capacity and I/O of a database that pauses a while after each request."""
        if standing.pause_seconds is None:
            return {}
        awake = 1.0 if math.isinf(standing.pause_seconds) else min(1.0, requests_per_second * standing.pause_seconds)
        busy = self.prices.assumed("acu_per_request_rate") * requests_per_second
        acus = max(self.prices.assumed("acu_awake"), busy)
        io = self.prices.assumed("io_per_write") * writes
        return {"aurora_acu_hours": acus * awake * self._hours, "aurora_io": io}


@dataclass(frozen=True)
class Curve:
    """What a month costs by the rate of appends, as far as the store bears them."""

    cost: Callable[[float], float]
    highest: float = math.inf


@dataclass(frozen=True)
class Stretch:
    """Rates between which one store is the cheapest."""

    name: str
    low: float
    high: float


def cheapest(curves: Mapping[str, Curve], low: float, high: float) -> list[Stretch]:
    """Which store to take at which rate, from the lowest rate on; nothing where none bears it.

    A store that is the cheapest for less than 10 % of a rate may be missed, like a crossing and its return.
    """
    ends = sorted({low, high, *(curve.highest for curve in curves.values() if low < curve.highest < high)})
    found: list[Stretch] = []
    for start, end in pairwise(ends):
        able = {name: curve.cost for name, curve in curves.items() if curve.highest >= end}
        for stretch in _cheapest(able, start, end) if able else ():
            if found and found[-1].name == stretch.name:
                stretch = replace(stretch, low=found.pop().low)
            found.append(stretch)
    return found


def _cheapest(costs: Mapping[str, Callable[[float], float]], low: float, high: float) -> Iterator[Stretch]:
    def best(rate: float) -> str:
        return min(sorted(costs), key=lambda name: costs[name](rate))

    rate = low
    while rate < high:
        name, following = best(rate), min(rate * 1.1, high)
        if best(following) != name:
            following = _bisect(lambda at, name=name: best(at) != name, rate, following)
        yield Stretch(name, rate, following)
        rate = following


def crossover(one: Callable[[float], float], other: Callable[[float], float], low: float, high: float) -> float | None:
    """The rate between `low` and `high` at which the cheaper of two becomes the dearer; None if there is none.

    Where there are several, the lowest that a scan in steps of 10 % finds, then exact to a millionth of itself.
    """
    sign = one(low) < other(low)
    rate = low
    while rate < high:
        following = min(rate * 1.1, high)
        if (one(following) < other(following)) != sign:
            return _bisect(lambda at: (one(at) < other(at)) != sign, rate, following)
        rate = following
    return None


def _bisect(crossed: Callable[[float], bool], low: float, high: float) -> float:
    while high / low > 1.000001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if crossed(middle) else (middle, high)
    return high


def crossovers(curves: Mapping[str, Curve], low: float, high: float) -> list[tuple[float, str, str]]:
    """For each pair that crosses while both bear the rate: that from which on the second is the cheaper one."""
    names = sorted(curves)
    found: list[tuple[float, str, str]] = []
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            here, there = curves[one], curves[other]
            end = min(high, here.highest, there.highest)
            if (rate := crossover(here.cost, there.cost, low, end)) is not None:
                first, then = (one, other) if here.cost(low) < there.cost(low) else (other, one)
                found.append((rate, first, then))
    return sorted(found)


def rates(low: float, high: float, per_decade: int = 12) -> list[float]:
    """From `low` to `high` in even steps of a logarithmic axis."""
    steps = round(math.log10(high / low) * per_decade)
    return [low * 10 ** (step / per_decade) for step in range(steps + 1)]

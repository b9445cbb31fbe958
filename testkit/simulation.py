"""DynamoDB under contention, in virtual time: what the emulator cannot show, the same on every run of one seed.

`VirtualTime` runs threads one at a time, always the one whose sleep ends first, so hours pass in seconds and a seed
decides every interleaving. `SimulatedDynamoDB` has tables whose transactions take time, as AWS describes them
(developerguide/transaction-apis; Idziorek et al., USENIX ATC 2023): every item is prepared at an instant of its own,
an item that another transaction holds is a TransactionConflict, and committed items become visible one by one. Any
other request takes effect half-way between its sending and its answer.
"""

from __future__ import annotations

import heapq
import operator
import random
import re
import threading
from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ClientError

from lambdas.eventstore import retry
from lambdas.eventstore.dynamodb import turns

_BEGINNING = 1_790_000_000.0
"""Unix time at which virtual time begins."""

UNLIMITED = 1e9
"""Write units a second that nobody here can use up."""

Tables = Mapping[str, tuple[str, str]]
"""The keys of the tables `events` and `log`: partition and sort key, by the table."""


class VirtualTime:
    def __init__(self) -> None:
        self.now = 0.0
        self._sleeping: list[tuple[float, int, threading.Lock]] = []
        self._order = count()
        self._idle = threading.Lock()
        self._failures: list[BaseException] = []

    def run(self, *functions: Callable[[], None]) -> None:
        """Run all functions, each in a thread, until all have returned; raise the first exception of any."""
        threads = [threading.Thread(target=self._thread, args=(function, self._gate(0.0))) for function in functions]
        for thread in threads:
            thread.start()
        self._idle.acquire()
        self._wake_next()
        self._idle.acquire()
        self._idle.release()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def sleep(self, seconds: float) -> None:
        gate = self._gate(seconds)
        self._wake_next()
        gate.acquire()

    def monotonic(self) -> float:
        return self.now

    def map(self, function: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
        """As a pool of threads would: all at the same time."""
        arguments = list(arguments)
        results: dict[int, Any] = {}
        left = list(arguments)
        done = threading.Lock()
        done.acquire()

        def call(index: int, argument: Any) -> None:
            try:
                results[index] = function(argument)
            finally:
                left.pop()
                if not left:
                    heapq.heappush(self._sleeping, (self.now, next(self._order), done))

        for index, argument in enumerate(arguments):
            threading.Thread(target=self._thread, args=(partial(call, index, argument), self._gate(0.0))).start()
        if arguments:
            self._wake_next()
            done.acquire()
        return [results.get(index) for index in range(len(arguments))]

    def _gate(self, seconds: float) -> threading.Lock:
        gate = threading.Lock()
        gate.acquire()
        heapq.heappush(self._sleeping, (self.now + seconds, next(self._order), gate))
        return gate

    def _wake_next(self) -> None:
        if not self._sleeping:
            self._idle.release()
            return
        self.now, _, gate = heapq.heappop(self._sleeping)
        gate.release()

    def _thread(self, function: Callable[[], None], gate: threading.Lock) -> None:
        gate.acquire()
        try:
            function()
        except BaseException as failure:
            self._failures.append(failure)
        self._wake_next()


class Instant(VirtualTime):
    """No call and no pause takes time."""

    def sleep(self, seconds: float) -> None:
        pass


@contextmanager
def virtual_retries(time: VirtualTime, seed: int, store: ModuleType) -> Iterator[None]:
    """The pauses of a module's stores pass in virtual time, which their clocks show too; the jitter is of `seed`."""
    clock = SimpleNamespace(sleep=time.sleep, monotonic=time.monotonic, time=lambda: _BEGINNING + time.now)
    jitter = random.Random(seed)
    with ExitStack() as patches:
        for module in (retry, turns, store):
            patches.enter_context(patch.object(module, "time", clock))
        for module in (retry, turns):
            patches.enter_context(patch.object(module, "random", jitter))
        yield


class SimulatedDynamoDB:
    """A client with the calls that the store makes. The one condition it knows is that the item is new.

    Latencies are in seconds, drawn evenly from each range; `slowness` is a factor on them. Each partition of the log
    takes `write_units` a second, saved up for a second at most, and throttles what is beyond.
    """

    READ = (0.002, 0.006)
    PUT = (0.003, 0.008)
    PHASE = (0.003, 0.008)
    """Of a transaction's two phases, for each item and with the way there."""

    def __init__(
        self, time: VirtualTime, tables: Tables, seed: int, slowness: float = 1.0, write_units: float = UNLIMITED
    ) -> None:
        self._time = time
        self._tables = tables
        self._random = random.Random(seed)
        self._slowness = slowness
        self._write_units = self._saved = write_units
        self._saved_at = 0.0
        self._items: dict[tuple[str, str, float], dict[str, Any]] = {}
        self._sorted: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._held: set[tuple[str, str, float]] = set()
        self.transactions = self.cancelled = self.throttled = self.puts = self.refused = 0

    def query(self, **query: Any) -> dict[str, Any]:
        self._delay(self.READ)
        table = query["TableName"]
        values = {name: next(iter(value.values())) for name, value in query["ExpressionAttributeValues"].items()}
        [(equal, *ranges)] = _CONDITION.findall(query["KeyConditionExpression"])
        numbers = self._sorted[table, values[equal]]
        if ranges[0]:
            comparison, bound = ranges
            numbers = [n for n in numbers if _COMPARISONS[comparison](n, float(values[bound]))]
        if start := query.get("ExclusiveStartKey"):
            numbers = [n for n in numbers if n > float(start[self._tables[table][1]]["N"])]
        if not query.get("ScanIndexForward", True):
            numbers = numbers[::-1]
        found = [self._items[table, values[equal], n] for n in numbers[: query["Limit"]]]
        more = len(numbers) > len(found)
        self._delay(self.READ)
        return {"Items": found} | ({"LastEvaluatedKey": found[-1]} if more else {})

    def put_item(self, **put: Any) -> None:
        self._delay(self.PUT)
        key = self._key(put["TableName"], put["Item"])
        self.puts += 1
        if key[0] == "log" and not self._has_units(1):
            self.throttled += 1
            outcome = "ThrottlingException"
        elif key in self._items and "ConditionExpression" in put:
            self.refused += 1
            outcome = "ConditionalCheckFailedException"
        else:
            outcome = ""
            if key not in self._items:
                insort(self._sorted[key[:2]], key[2])
            self._items[key] = put["Item"]
        self._delay(self.PUT)
        if outcome:
            raise ClientError({"Error": {"Code": outcome, "Message": outcome}}, "PutItem")

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        [(table, wanted)] = request["RequestItems"].items()
        self._delay(self.READ)
        found = [self._items[key] for item in wanted["Keys"] if (key := self._key(table, item)) in self._items]
        self._delay(self.READ)
        return {"Responses": {table: found}}

    def transact_write_items(self, **request: Any) -> None:
        actions = [action["Put"] for action in request["TransactItems"]]
        puts = {self._key(put["TableName"], put["Item"]): put for put in actions}
        self.transactions += 1
        reasons = dict.fromkeys(puts, "None")
        held = []
        throttles = not self._has_units(2 * sum(table == "log" for table, _, _ in puts))
        for key in self._one_by_one(puts):
            if throttles and key[0] == "log":
                reasons[key] = "ThrottlingError"
            elif key in self._held:
                reasons[key] = "TransactionConflict"
            elif key in self._items and "ConditionExpression" in puts[key]:
                reasons[key] = "ConditionalCheckFailed"
            else:
                self._held.add(key)
                held.append(key)
        if len(held) < len(puts):
            self.cancelled += 1
            self.throttled += throttles
            self._held.difference_update(held)
            self._delay(self.READ)
            raise _cancelled(reasons.values())
        for key in self._one_by_one(puts):
            if key not in self._items:
                insort(self._sorted[key[:2]], key[2])
            self._items[key] = puts[key]["Item"]
            self._held.discard(key)
        self._delay(self.READ)

    def _key(self, table: str, item: dict[str, Any]) -> tuple[str, str, float]:
        partition, number = self._tables[table]
        return table, item[partition]["S"], float(item[number]["N"])

    def _has_units(self, wanted: float) -> bool:
        """Whether the log's one partition has as many write units left, which then are spent."""
        self._saved = min(self._write_units, self._saved + (self._time.now - self._saved_at) * self._write_units)
        self._saved_at = self._time.now
        if self._saved < wanted:
            return False
        self._saved -= wanted
        return True

    def _one_by_one(self, keys: Any) -> Iterator[Any]:
        began = self._time.now
        for at, _, key in sorted(
            (began + self._slowness * self._random.uniform(*self.PHASE), i, key) for i, key in enumerate(keys)
        ):
            self._time.sleep(at - self._time.now)
            yield key

    def _delay(self, span: tuple[float, float]) -> None:
        self._time.sleep(self._slowness * self._random.uniform(*span) / 2)


_CONDITION = re.compile(r"^\w+ = (:\w+)(?: AND \w+ (>=|<=|>) (:\w+))?$")
_COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt}


def _cancelled(reasons: Any) -> ClientError:
    error = {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"}
    response: Any = {"Error": error, "CancellationReasons": [{"Code": reason} for reason in reasons]}
    return ClientError(response, "TransactWriteItems")

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
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ClientError

from lambdas.eventstore import retry
from lambdas.eventstore.dynamodb import turns
from lambdas.eventstore.dynamodb.items import item_bytes

BEGINNING = 1_790_000_000.0
"""Unix time at which virtual time begins."""

READ_UNIT, WRITE_UNIT = 4096, 1024

UNLIMITED = 1e9
"""Write units a second that nobody here can use up."""

THREADS = 10
"""Of a store: as many as an SDK client keeps connections."""

Tables = Mapping[str, tuple[str, str]]
"""The keys of the tables: partition and sort key, by the table."""


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
        """As a pool of ten threads would."""
        arguments = list(arguments)
        results: dict[int, Any] = {}
        failures: list[BaseException] = []
        left = list(arguments)
        done = threading.Lock()
        done.acquire()

        waiting = list(enumerate(arguments))[::-1]

        def work() -> None:
            while waiting:
                index, argument = waiting.pop()
                try:
                    results[index] = function(argument)
                except BaseException as failure:
                    failures.append(failure)
                finally:
                    left.pop()
                    if not left:
                        heapq.heappush(self._sleeping, (self.now, next(self._order), done))

        for _ in arguments[:THREADS]:
            threading.Thread(target=self._thread, args=(work, self._gate(0.0))).start()
        if arguments:
            self._wake_next()
            done.acquire()
        if failures:
            raise failures[0]
        return [results[index] for index in range(len(arguments))]

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
def virtual_retries(time: VirtualTime, seed: int, *of_the_store: ModuleType) -> Iterator[None]:
    """The pauses of a store's modules pass in virtual time, which their clocks show too; the jitter is of `seed`."""
    clock = SimpleNamespace(sleep=time.sleep, monotonic=time.monotonic, time=lambda: BEGINNING + time.now)
    jitter = random.Random(seed)
    with ExitStack() as patches:
        for module in (retry, turns, *of_the_store):
            patches.enter_context(patch.object(module, "time", clock))
            if hasattr(module, "random"):
                patches.enter_context(patch.object(module, "random", jitter))
        yield


_Partition = tuple[str, str]
"""Table and partition key."""

_Key = tuple[str, str, Any]
"""Table, partition and sort key."""


class SimulatedDynamoDB:
    """A client with the calls that the store makes. The one condition it knows is that the item is new.

    Latencies are in seconds, drawn evenly from each range; `slowness` is a factor on them. Each partition takes
    `write_units` a second, saved up for a second at most, and throttles what is beyond.
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
        self._write_units = write_units
        self._saved: dict[_Partition, tuple[float, float]] = {}
        self._items: dict[_Key, dict[str, Any]] = {}
        self._sorted: dict[_Partition, list[Any]] = defaultdict(list)
        self._held: set[_Key] = set()
        self.transactions = self.cancelled = self.throttled = self.puts = self.refused = 0
        self.write_units = self.read_units = 0

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
            numbers = [n for n in numbers if n > _plain(start[self._tables[table][1]])]
        if not query.get("ScanIndexForward", True):
            numbers = numbers[::-1]
        found = [self._items[table, values[equal], n] for n in numbers[: query["Limit"]]]
        more = len(numbers) > len(found)
        self.read_units += max(1, -(-sum(map(item_bytes, found)) // READ_UNIT))
        self._delay(self.READ)
        return {"Items": found} | ({"LastEvaluatedKey": found[-1]} if more else {})

    def put_item(self, **put: Any) -> None:
        self._delay(self.PUT)
        key = self._key(put["TableName"], put["Item"])
        self.puts += 1
        if self._short_of_units({key[:2]: _write_units(put["Item"])}):
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

    def delete_item(self, **request: Any) -> None:
        self._delay(self.PUT)
        key = self._key(request["TableName"], request["Key"])
        if throttles := self._short_of_units({key[:2]: _write_units(self._items.get(key, {}))}):
            self.throttled += 1
        elif self._items.pop(key, None):
            self._sorted[key[:2]].remove(key[2])
        self._delay(self.PUT)
        if throttles:
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "DeleteItem")

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        [(table, wanted)] = request["RequestItems"].items()
        self._delay(self.READ)
        items = [self._items.get(self._key(table, item), {}) for item in wanted["Keys"]]
        self.read_units += sum(max(1, -(-item_bytes(item) // READ_UNIT)) for item in items)
        found = [item for item in items if item]
        self._delay(self.READ)
        return {"Responses": {table: found}}

    def transact_write_items(self, **request: Any) -> None:
        actions = [action["Put"] for action in request["TransactItems"]]
        puts = {self._key(put["TableName"], put["Item"]): put for put in actions}
        self.transactions += 1
        reasons = dict.fromkeys(puts, "None")
        held = []
        wanted: Counter[_Partition] = Counter()
        for key, put in puts.items():
            wanted[key[:2]] += 2 * _write_units(put["Item"])
        throttled = self._short_of_units(wanted)
        for key in self._one_by_one(puts):
            if key[:2] in throttled:
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
            self.throttled += bool(throttled)
            self._held.difference_update(held)
            self._delay(self.READ)
            raise _cancelled(reasons.values())
        for key in self._one_by_one(puts):
            if key not in self._items:
                insort(self._sorted[key[:2]], key[2])
            self._items[key] = puts[key]["Item"]
            self._held.discard(key)
        self._delay(self.READ)

    def _key(self, table: str, item: dict[str, Any]) -> _Key:
        partition, sort = self._tables[table]
        return table, item[partition]["S"], _plain(item[sort])

    def _short_of_units(self, wanted: Mapping[_Partition, int]) -> set[_Partition]:
        """The partitions that have fewer write units left than are wanted. If there are none, all of it is spent."""
        for partition in wanted:
            saved, at = self._saved.get(partition, (self._write_units, 0.0))
            saved = min(self._write_units, saved + (self._time.now - at) * self._write_units)
            self._saved[partition] = saved, self._time.now
        short = {partition for partition, units in wanted.items() if self._saved[partition][0] < units}
        if not short:
            for partition, units in wanted.items():
                self._saved[partition] = self._saved[partition][0] - units, self._time.now
                self.write_units += units
        return short

    def _one_by_one(self, keys: Any) -> Iterator[Any]:
        began = self._time.now
        for at, _, key in sorted(
            (began + self._slowness * self._random.uniform(*self.PHASE), i, key) for i, key in enumerate(keys)
        ):
            self._time.sleep(at - self._time.now)
            yield key

    def _delay(self, span: tuple[float, float]) -> None:
        self._time.sleep(self._slowness * self._random.uniform(*span) / 2)


def _write_units(item: dict[str, Any]) -> int:
    return max(1, -(-item_bytes(item) // WRITE_UNIT))


def _plain(attribute: dict[str, str]) -> Any:
    return float(attribute["N"]) if "N" in attribute else attribute["S"]


_CONDITION = re.compile(r"^\w+ = (:\w+)(?: AND \w+ (>=|<=|>) (:\w+))?$")
_COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt}


def _cancelled(reasons: Any) -> ClientError:
    error = {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"}
    response: Any = {"Error": error, "CancellationReasons": [{"Code": reason} for reason in reasons]}
    return ClientError(response, "TransactWriteItems")

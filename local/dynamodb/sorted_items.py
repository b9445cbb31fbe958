"""Keeps items in the order in which Query and Scan return them, so that a page costs what is on it.

MiniStack sorts the whole partition for each Query, and the whole table for each Scan, evaluates the key condition for
every item, and then takes a page: a store of 10,000 events answers in a quarter of a second, and all others wait.

Here a partition that was queried once keeps a sorted list of its keys, which each write updates. A request runs
MiniStack's own function on a table of those items only that can be on the page: from where the key condition and the
start key say, as many as `Limit` allows. All checks, filters, projections and pages are MiniStack's. If the page turns
out to need more items, the function runs again on more. Requests that this does not read (Scan of an index or of a
segment, legacy KeyConditions, begins_with, keys of several attributes) run on the whole table, as before.

In MiniStack: `_index_members` keeps lists that `_index_item` updates with `bisect.insort`, and `_query` and `_scan`
take their candidates from them instead of sorting.
"""

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from local.dynamodb.names import with_names

Entry = tuple[tuple[Any, ...], str, str]
"""Where an item is: its rank among the others, and its partition and sort key in the table."""

Place = tuple[str | None, Any]
"""A partition of the table (None, partition key) or of an index (its name, partition key)."""

WHOLE_TABLE: Place = (None, None)
"""In Scan's order."""

_ORDERS = object()
"""Beside what MiniStack keeps of the members of indexes, which it drops whenever indexes or all items change."""

_KEY_CONDITION = re.compile(
    r"\s*(?P<hash>#?\w+)\s*=\s*(?P<partition>:\w+)"
    r"(\s+AND\s+(?P<range>#?\w+)\s*"
    r"((?P<comparison>=|<=|>=|<|>)\s*(?P<operand>:\w+)|\bBETWEEN\s+(?P<low>:\w+)\s+AND\s+(?P<high>:\w+)))?\s*",
    re.IGNORECASE,
)
_FIRST_TRY = 1000
"""Items of a page without `Limit`, before more are tried."""


def install(dynamodb: Any) -> None:
    query, scan, index_item = dynamodb._query, dynamodb._scan, dynamodb._index_item
    orders = _Orders(dynamodb)

    def updating(table: dict[str, Any], pk: str, sk: str, item: dict[str, Any], add: bool) -> None:
        index_item(table, pk, sk, item, add)
        orders.update(table, pk, sk, item, add)

    def narrow_query(data: dict[str, Any]) -> Any:
        return _narrowed(dynamodb, query, data, orders.queried)

    def narrow_scan(data: dict[str, Any]) -> Any:
        return _narrowed(dynamodb, scan, data, orders.scanned)

    dynamodb._index_item, dynamodb._query, dynamodb._scan = updating, narrow_query, narrow_scan


class _Window:
    """Candidates for a page: the entries from `low` to below `high`, the last first if `newest_first`."""

    def __init__(
        self, entries: list[Entry], low: int, high: int, newest_first: bool, view: Callable[[Iterable[Entry]], Any]
    ) -> None:
        # MiniStack finds a reserved word only by evaluating the expression, so there is always an item for that.
        self._low = max(0, min(low, len(entries) - 1))
        self._high = max(high, min(self._low + 1, len(entries)))
        self._entries, self._newest_first, self._view = entries, newest_first, view

    def tables(self, size: int) -> Iterator[tuple[Any, bool]]:
        """Tables that hold the first candidates, ever more of them, and whether they hold all."""
        while size < self._high - self._low:
            first = self._high - size if self._newest_first else self._low
            yield self._view(self._entries[first : first + size]), False
            size *= 4
        yield self._view(self._entries[self._low : self._high]), True


def _narrowed(
    dynamodb: Any,
    function: Callable[..., Any],
    data: dict[str, Any],
    window_of: Callable[[dict[str, Any], dict[str, Any]], _Window | None],
) -> Any:
    name, limit = data.get("TableName"), data.get("Limit")
    table = dynamodb._tables.get(name) if isinstance(name, str) else None
    plain = isinstance(limit, int) and limit > 0 if limit is not None else True
    window = window_of(table, data) if table and plain else None
    if window is None:
        return function(data)
    for narrow_table, whole in window.tables(limit + 1 if limit else _FIRST_TRY):
        full: list[bool] = []

        def paginate(*arguments: Any, full: list[bool] = full) -> Any:
            page, more = dynamodb._paginate_evaluated_items(*arguments)
            full.append(more)
            return page, more

        tables = {name: narrow_table}
        answer = with_names(function, _tables=tables, _paginate_evaluated_items=paginate)(data)
        if whole or full != [False]:  # the page is full, or the request is refused
            break
    return answer


class _Orders:
    """The sorted lists of keys, of all partitions that were asked for."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb

    def update(self, table: dict[str, Any], pk: str, sk: str, item: dict[str, Any], add: bool) -> None:
        """Called for each item that was put into, or taken out of, the table and its indexes."""
        known: dict[Place, list[Entry]] = table.get(self._dynamodb._INDEX_MEMBERS, {}).get(_ORDERS, {})
        if not known:
            return
        for place in self._places(table, pk, item):
            if place in known:
                entry = self._rank(table, place, pk, sk, item), pk, sk
                entries = known[place]
                if add:
                    insort(entries, entry)
                else:
                    del entries[bisect_left(entries, entry)]

    def queried(self, table: dict[str, Any], data: dict[str, Any]) -> _Window | None:
        """The candidates of a Query; None if it takes MiniStack to read it."""
        dynamodb, index = self._dynamodb, data.get("IndexName")
        condition = _KEY_CONDITION.fullmatch(data.get("KeyConditionExpression") or "")
        if not condition or (index and not dynamodb._index_def(table, index)):
            return None
        hashes, ranges = self._keys(table, index)
        names, values = data.get("ExpressionAttributeNames") or {}, data.get("ExpressionAttributeValues") or {}

        def value(group: str, name: str) -> Any:
            """What the key `name` is compared with, if that is of the key's type."""
            attribute, kind = values.get(condition[group]), dynamodb._get_attr_type(table, name)
            well_typed = isinstance(attribute, dict) and isinstance(attribute.get(kind), str) and len(attribute) == 1
            return attribute if well_typed else None

        def named(group: str) -> str:
            return str(names.get(condition[group], condition[group]))

        if len(hashes) != 1 or len(ranges) != 1 or named("hash") != hashes[0]:
            return None
        partition = value("partition", hashes[0])
        if partition is None:
            return None
        place = index or None, dynamodb._extract_key_val(partition)
        entries = self._sorted(table, place)
        low, high = 0, len(entries)
        if condition["range"]:
            if named("range") != ranges[0]:
                return None
            kind = dynamodb._get_attr_type(table, ranges[0])
            from_group = "low" if condition["low"] else "operand" if condition["comparison"] in ("=", ">", ">=") else ""
            to_group = "high" if condition["high"] else "operand" if condition["comparison"] in ("=", "<", "<=") else ""
            for group in {from_group, to_group} - {""}:
                if value(group, ranges[0]) is None:
                    return None
            if from_group:
                least = dynamodb._sort_key_value(value(from_group, ranges[0]), kind)
                low = (bisect_right if condition["comparison"] == ">" else bisect_left)(entries, least, key=_first)
            if to_group:
                most = dynamodb._sort_key_value(value(to_group, ranges[0]), kind)
                high = (bisect_left if condition["comparison"] == "<" else bisect_right)(entries, most, key=_first)
        newest_first = not data.get("ScanIndexForward", True)
        if start := data.get("ExclusiveStartKey"):
            if not isinstance(start, dict) or not {*hashes, *ranges, *self._keys(table, None)[0]} <= start.keys():
                return None
            cursor = self._rank(table, place, "", "", start)
            if newest_first:
                high = min(high, bisect_left(entries, cursor, key=_rank))
            else:
                low = max(low, bisect_right(entries, cursor, key=_rank))
        return _Window(entries, low, high, newest_first, lambda chosen: self._view(table, place, chosen))

    def scanned(self, table: dict[str, Any], data: dict[str, Any]) -> _Window | None:
        """The candidates of a Scan; None if it takes MiniStack to read it."""
        if any(data.get(name) is not None for name in ("IndexName", "Segment", "TotalSegments")):
            return None
        entries, low = self._sorted(table, WHOLE_TABLE), 0
        if start := data.get("ExclusiveStartKey"):
            if not isinstance(start, dict):
                return None
            pk, sk = (self._dynamodb._extract_key_val(start.get(name)) for name in (table["pk_name"], table["sk_name"]))
            low = bisect_right(entries, (pk, sk), key=_rank)
        return _Window(entries, low, len(entries), False, lambda chosen: self._view(table, WHOLE_TABLE, chosen))

    def _sorted(self, table: dict[str, Any], place: Place) -> list[Entry]:
        members = self._dynamodb._index_members(table)
        known: dict[Place, list[Entry]] = members.setdefault(_ORDERS, {})
        if place not in known:
            index, partition = place
            items, entries = table["items"], []
            if index:
                found: Iterable[tuple[str, str]] = members[index].get(partition, ())
            elif place == WHOLE_TABLE:
                found = ((pk, sk) for pk, bucket in items.items() for sk in bucket)
            else:
                found = ((partition, sk) for sk in items.get(partition, ()))
            for pk, sk in found:
                entries.append((self._rank(table, place, pk, sk, items[pk][sk]), pk, sk))
            known[place] = sorted(entries)
        return known[place]

    def _places(self, table: dict[str, Any], pk: str, item: dict[str, Any]) -> Iterator[Place]:
        yield WHOLE_TABLE
        yield None, pk
        for index, hashes, ranges in self._dynamodb._index_key_schemas(table):
            if (partition := self._dynamodb._index_partition(item, hashes, ranges)) is not None:
                yield index, partition

    def _rank(self, table: dict[str, Any], place: Place, pk: str, sk: str, item: dict[str, Any]) -> tuple[Any, ...]:
        dynamodb = self._dynamodb
        if place == WHOLE_TABLE:
            return pk, sk
        names = dynamodb._index_order_keys(table, self._keys(table, place[0])[1])
        return tuple(dynamodb._index_order_value(item, name, kind) for name, kind in names)

    def _keys(self, table: dict[str, Any], index: str | None) -> tuple[list[str], list[str]]:
        """The names of the partition key and of the sort key, each a list of none, one or more."""
        if index:
            keys: tuple[list[str], list[str]] = self._dynamodb._index_key_lists(self._dynamodb._index_def(table, index))
            return keys
        return [table["pk_name"]], [table["sk_name"]] if table["sk_name"] else []

    def _view(self, table: dict[str, Any], place: Place, chosen: Iterable[Entry]) -> dict[str, Any]:
        """The table as if it held the chosen items only."""
        index, partition = place
        if index:
            members = {index: {partition: [(pk, sk) for _rank, pk, sk in chosen]}}
            return {**table, self._dynamodb._INDEX_MEMBERS: members}
        items: dict[str, dict[str, Any]] = {}
        for _rank, pk, sk in chosen:
            items.setdefault(pk, {})[sk] = table["items"][pk][sk]
        return {**table, "items": items}


def _rank(entry: Entry) -> tuple[Any, ...]:
    return entry[0]


def _first(entry: Entry) -> Any:
    return entry[0][0]

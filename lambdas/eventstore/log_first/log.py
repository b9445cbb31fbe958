"""The log: each page one request, or several, with their events in full or, where they are large, without payloads.

Guarantees: a page is put whole or not at all, and the body that it refers to is stored before it. It fits one read unit
unless its ids are very long, so finding the end of the log costs 1 RRU whatever was stored. Costs: 1 WRU for each KB of
a page, compressed. Payloads that do not fit it are a body of their own: 1 WRU for each KB, compressed, however often
their request loses a race. Fails: the body of a request that is refused then, or dies, stays, and no page refers to it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.eventstore.contract import Append
from lambdas.eventstore.dynamodb.items import Item, Key, to_attribute
from lambdas.eventstore.dynamodb.paged_log import (
    PAGE_BYTES,
    MissingPage,
    PagedLog,
    contents,
    first_position,
    key,
    page_item,
)
from lambdas.eventstore.dynamodb.reads import get_items
from lambdas.eventstore.dynamodb.turns import OTHERS_FIRST, Turn
from lambdas.eventstore.events import StoredEvent

INLINE_BYTES = 3_900
"""Of the events of one request, compressed. With its keys such a page takes one read unit, 4 KB."""

COMBINED_BYTES = 4 * INLINE_BYTES
"""Of a page with the events of several requests."""

_PENDING = f"{OTHERS_FIRST}; one of them may still store this request, which only a retry with the same requestId tells"

BODIES = "body#"
_BODY_BYTES, _BODY_ITEMS = 1_000_000, 100
"""Of the bodies that one request reads, unless a single page has more: a BatchGetItem answers with up to 100 items and
16 MB."""

Heads = dict[str, tuple[int, str]]
"""Of aggregates, the version and the id of the last event; 0 and an empty id if there is none."""

Entry = dict[str, Any]
"""An event in a page: its JSON, with `requestId` and `requestDigest` if its request has an id."""

ForEach = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]

AsStored = Callable[[Entry], Entry]
"""An entry with what the pattern keeps beside the event, as JSON, for its page and its item. It is called for each
attempt, whose events have ids of their own, and leaves what is there as it is."""


@dataclass(frozen=True)
class Page:
    """A page, as its item and the entries in it."""

    item: Item
    entries: Sequence[Entry]

    @property
    def first(self) -> int:
        """The position of its first event."""
        return first_position(self.item)

    @property
    def last(self) -> int:
        """The position of its last event."""
        return self.first + len(self.entries) - 1

    @property
    def last_event(self) -> tuple[Key, str]:
        """Key and id of its last event."""
        entry = self.entries[-1]
        return key_of(entry), entry["eventId"]

    @property
    def crowd(self) -> int:
        """How many requests its writer knew of, its own with them: those in it, and those that were left for later."""
        return int(self.item["crowd"]["N"]) if "crowd" in self.item else 1

    @property
    def busy_until(self) -> float:
        """Until when the log is likely to be busy, in Unix seconds: see `turns`. 0 if its append met no other."""
        return float(self.item["busyUntil"]["N"]) if "busyUntil" in self.item else 0.0

    def heads(self) -> Heads:
        """Those of its aggregates, as of this page."""
        return {entry["aggregateId"]: (entry["aggregateVersion"], entry["eventId"]) for entry in self.entries}

    def ids(self) -> dict[Key, str]:
        """The ids of its events."""
        return {key_of(entry): entry["eventId"] for entry in self.entries}

    def items(self) -> list[Item]:
        """The items of its events, for the table of events."""
        return [
            {name: to_attribute(value) for name, value in entry.items()} | {"logPosition": to_attribute(position)}
            for position, entry in enumerate(self.entries, self.first)
        ]

    def events(self) -> list[StoredEvent]:
        return [
            StoredEvent.from_wire(entry).at(str(position)) for position, entry in enumerate(self.entries, self.first)
        ]


class Request:
    """A request on its way into the log. Its attempts have one body, which is what its pages say of it."""

    def __init__(self, append: Append, as_stored: AsStored = lambda entry: entry) -> None:
        self.append = append
        self.body: Item | None = None
        self.tried: list[str] = []
        """The ids of the events of all attempts."""
        self.pending: list[Entry] = []
        """Its events as they are left for others to store, once they are."""
        self.lost = False
        """Whether another event has been found in the place of its first one, once it was pending."""
        self.looks = 0
        """How often it has been looked whether they are stored."""
        self.turn = Turn()
        self._as_stored = as_stored

    def wait(self, seconds: float) -> None:
        """Let other appends go on.

        Raises:
            OutOfTime
        """
        self.turn.wait(seconds, _PENDING if self.pending else OTHERS_FIRST)

    def entries(self, event_ids: Sequence[str]) -> list[Entry]:
        """Its events for another attempt, under these ids."""
        append, request = self.append, {}
        if append.request_id is not None:
            request = {"requestId": append.request_id, "requestDigest": append.digest}
        self.tried += event_ids
        events = zip(append.events, event_ids, strict=True)
        return [self._as_stored({**event.stored(event_id).to_wire(), **request}) for event, event_id in events]

    def fits_a_page(self, entries: Sequence[Entry]) -> bool:
        """Whether it takes no body."""
        return not self.body and len(compressed(entries)) <= INLINE_BYTES


class RequestLog(PagedLog):
    """The table of the log, keyed (part, firstPosition): pages, and bodies."""

    def tail(self) -> Page | None:
        """The last page, None if there is none. Its entries are `complete` only if it has no body."""
        item = self.last_page()
        return Page(item, contents(item)) if item else None

    def complete(self, page: Page) -> Page:
        """The page with all that belongs to its entries."""
        [complete] = self._complete([page.item])
        return complete

    def append(
        self,
        request: Request,
        entries: Sequence[Entry],
        position: int,
        busy_until: float = 0.0,
        others: Sequence[Entry] = (),
        crowd: int = 1,
    ) -> Page:
        """Put a page at `position`, with the entries of `request` and those of others; first a body, if it takes one.

        Raises:
            PositionTaken
        """
        if not request.fits_a_page(entries) and not request.body:
            payloads = [entry["metadata"] for entry in entries]
            request.body = self._put_body(payloads, name=entries[0]["eventId"])
        inline = [{**entry, "metadata": None} for entry in entries] if request.body else entries
        item = page_item(position, [_text(entry) for entry in (*inline, *others)]) | (request.body or {})
        if busy_until:
            item["busyUntil"] = to_attribute(round(busy_until, 3))
        if crowd > 1:
            item["crowd"] = to_attribute(crowd)
        self.put(item)
        return Page(item, [*entries, *others])

    def _put_body(self, payloads: Sequence[Any], name: str) -> Item:
        """Put the payloads of a request; answer with what its page says of them."""
        content = compressed(payloads)
        for number, start in enumerate(range(0, len(content), PAGE_BYTES)):
            item = {**key(BODIES + name, number), "content": {"B": content[start : start + PAGE_BYTES]}}
            self.client.put_item(TableName=self.name, Item=item)
        return {"body": to_attribute(name), "bodyBytes": to_attribute(len(content))}

    def whole(self, items: Sequence[Item]) -> Iterator[Page]:
        """Pages with all that belongs to their entries, read as they are asked for."""
        for batch in _batches(items):
            yield from self._complete(batch)

    def _opened(self, items: Sequence[Item]) -> Iterator[list[StoredEvent]]:
        return (page.events() for page in self.whole(items))

    def _complete(self, items: Sequence[Item]) -> Iterator[Page]:
        """Pages with their bodies, which are read together."""
        found = get_items(self.client, self.name, [part for item in items for part in _body_keys(item)])
        parts = {(part["part"]["S"], first_position(part)): part["content"]["B"] for part in found}
        for item in items:
            entries = contents(item)
            if "body" in item:
                keys = [(part["part"]["S"], first_position(part)) for part in _body_keys(item)]
                if missing := [part for part in keys if part not in parts]:
                    raise MissingPage(f"the page at {first_position(item)} refers to {missing[0]}, which was deleted")
                # Those of the first request in the page. The others have theirs in it.
                payloads = json.loads(zlib.decompress(b"".join(parts[part] for part in keys)))
                large = [{**entry, "metadata": payload} for entry, payload in zip(entries, payloads, strict=False)]
                entries = large + entries[len(large) :]
            yield Page(item, entries)


def key_of(entry: Entry) -> Key:
    return entry["aggregateId"], entry["aggregateVersion"]


def _body_keys(item: Item) -> list[Item]:
    """The keys of a page's body: none if it has none."""
    items = -(-_body_bytes(item) // PAGE_BYTES)
    return [key(BODIES + item["body"]["S"], number) for number in range(items)]


def _body_bytes(item: Item) -> int:
    return int(item["bodyBytes"]["N"]) if "body" in item else 0


def _batches(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Pages whose bodies are read with one request."""
    batch: list[Item] = []
    size = count = 0
    for item in items:
        size, count = size + _body_bytes(item), count + len(_body_keys(item))
        if batch and (size > _BODY_BYTES or count > _BODY_ITEMS):
            yield batch
            batch, size, count = [], _body_bytes(item), len(_body_keys(item))
        batch.append(item)
    yield batch


def compressed(value: Any) -> bytes:
    return zlib.compress(_text(value).encode())


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

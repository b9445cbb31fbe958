"""The log as publisher and auditor read it: each event with its salt, or without its payload if that is erased."""

from __future__ import annotations

from collections.abc import Iterator

from lambdas.eventstore.dynamodb.paged_log import last_position
from lambdas.eventstore.log_first.log import Page, RequestLog

from .transparency.entries import entry_of

_PAGES = 500
"""That are read at once. A page has one event or more."""


class LedgerLog(RequestLog):
    def entries(self, after: int, limit: int) -> list[bytes]:
        """The entries that stand for the events behind this position, up to so many."""
        found: list[bytes] = []
        for page in self.pages(after):
            found += map(entry_of, page.entries[max(0, after + 1 - page.first) :])
            if len(found) >= limit:
                break
        return found[:limit]

    def pages(self, after: int) -> Iterator[Page]:
        """The pages with the events behind this position, whole and in order: the first may begin before it.

        Raises:
            MissingPage: after the pages that come before it.
        """
        begins = self._query("<=", after + 1, 1, newest_first=True)
        items = [item for item in begins if last_position(item) > after] or self._pages_after(after, _PAGES)
        while items:
            yield from self.whole(items)
            items = self._pages_after(last_position(items[-1]), _PAGES)

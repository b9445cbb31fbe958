"""The log as publisher and auditor read it: each event with its salt, or without its payload if that is erased."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence

from botocore.exceptions import ClientError

from lambdas.eventstore import aws
from lambdas.eventstore.dynamodb.items import Attribute, Item, to_attribute
from lambdas.eventstore.dynamodb.paged_log import last_position, page_item
from lambdas.eventstore.dynamodb.reads import query_items
from lambdas.eventstore.log_first.log import BODIES, Entry, Page, RequestLog

from .transparency.entries import entry_of

_PAGES = 500
"""That are read at once. A page has one event or more."""

_BODIES = "bodies"
"""The attribute of a page with the names of all bodies that it has had."""


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

    def page_of(self, position: int) -> Page:
        """The page with the event at this position."""
        return next(self.pages(position - 1))

    def replace(self, page: Page, entries: Sequence[Entry]) -> bool:
        """Put other entries in the place of a page's own; whether it was still that page.

        A body is put anew, under another name. The page keeps the names of all that it had, and of the new one before
        that is there, so that none is forgotten: `blank`.
        """
        item = page.item
        if "body" not in item:
            return self._exchange(item, {**item, **page_item(page.first, list(map(_text, entries)))})
        name = f"{entries[0]['eventId']}.{secrets.token_hex(8)}"
        claimed = {**item, _BODIES: {"L": [*_bodies(item), item["body"], to_attribute(name)]}}
        if not self._exchange(item, claimed):
            return False
        body = self._put_body([entry["metadata"] for entry in entries], name)
        inline = [_text({**entry, "metadata": None}) for entry in entries]
        return self._exchange(claimed, {**claimed, **page_item(page.first, inline), **body})

    def blank(self, page: Item) -> None:
        """Overwrite the bodies that this page once had. A right to delete is not needed for that."""
        for name in _bodies(page):
            if name == page["body"]:
                continue
            query = {
                "TableName": self.name,
                "KeyConditionExpression": "part = :body",
                "ExpressionAttributeValues": {":body": to_attribute(f"{BODIES}{name['S']}")},
                "ConsistentRead": True,
            }
            for item in query_items(self.client, query, 100):
                if item["content"]["B"]:
                    self.client.put_item(TableName=self.name, Item={**item, "content": {"B": b""}})

    def _exchange(self, old: Item, new: Item) -> bool:
        """Put a page in the place of another; whether that was still there."""
        condition, values = f"attribute_not_exists({_BODIES})", {":page": old["page"]}
        if _BODIES in old:
            condition, values = f"{_BODIES} = :bodies", {**values, ":bodies": old[_BODIES]}
        try:
            self.client.put_item(
                TableName=self.name,
                Item=new,
                ConditionExpression=f"page = :page AND {condition}",
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if aws.error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True


def _bodies(page: Item) -> list[Attribute]:
    """The names of all bodies that a page has or had; none if there was only the first."""
    bodies: list[Attribute] = page.get(_BODIES, {"L": []})["L"]
    return bodies


def _text(entry: Entry) -> str:
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))

"""The form of commands and queries: what is missing, unknown or malformed is an `InvalidRequest` with its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lambdas.eventstore.errors import InvalidRequest
from lambdas.eventstore.ijson import escape
from lambdas.eventstore.printable import is_printable

MAX_AMOUNT = 10**12
"""Minor units."""

MAX_LIMIT = 1000
_VERSIONS = 2**53 - 1

Fields = tuple[str, ...]
Request = dict[str, Any]

COMMANDS: Mapping[str, Fields] = {
    "CreateAccount": ("name", "currency"),
    "DepositMoney": ("amount",),
    "WithdrawMoney": ("amount",),
    "TransferMoney": ("toAccountId", "amount"),
    "CloseAccount": (),
}
QUERIES: Mapping[str, tuple[Fields, Fields]] = {
    "balance": (("accountId",), ("atLeast",)),
    "statement": (("accountId",), ("after", "limit")),
    "accounts": ((), ("after", "limit")),
    "lag": ((), ()),
}
"""By name, the fields that a query needs, and those that it can have."""


def command(request: Any) -> Request:
    """The command, checked.

    Raises:
        InvalidRequest
    """
    name = _name(request, "command", COMMANDS)
    checked = _checked(request, ("commandId", "command", "accountId", *COMMANDS[name]), ())
    if checked.get("toAccountId") == checked["accountId"]:
        raise InvalidRequest("/toAccountId", "is the account that the money comes from: name another one")
    return checked


def query(request: Any) -> Request:
    """The query, checked, with `limit` where it can have one.

    Raises:
        InvalidRequest
    """
    name = _name(request, "query", QUERIES)
    needed, optional = QUERIES[name]
    checked = _checked(request, ("query", *needed), optional)
    if name == "statement" and checked.get("after") is not None:
        checked["after"] = _whole(0, _VERSIONS)(checked["after"], "/after")
    elif checked.get("after") is not None:
        _identifier(checked["after"], "/after")
    return {"limit": 100, **checked} if "limit" in optional else checked


def _name(request: Any, field: str, known: Mapping[str, Any]) -> str:
    if not isinstance(request, dict):
        raise InvalidRequest("", "must be a JSON object")
    if request.get(field) not in list(known):
        raise InvalidRequest(f"/{field}", f"must be one of {', '.join(known)}")
    return str(request[field])


def _checked(request: Request, needed: Fields, optional: Fields) -> Request:
    for field in needed:
        if field not in request:
            raise InvalidRequest(f"/{field}", "is missing")
    for field in request:
        if field not in (*needed, *optional):
            fields = ", ".join((*needed, *optional))
            raise InvalidRequest(f"/{escape(field)}", f"is no field here: remove it (fields are {fields})")
    return {field: _CHECKS[field](value, f"/{field}") for field, value in request.items()}


def _identifier(value: Any, path: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 128 or not is_printable(value):
        raise InvalidRequest(path, "must be 1 to 128 characters of printable Unicode")
    return value


def _currency(value: Any, path: str) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{3}", value):
        raise InvalidRequest(path, "must be the three letters of a currency, such as EUR")
    return value


def _whole(least: int, most: int) -> Callable[[Any, str], int]:
    def check(value: Any, path: str) -> int:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or not least <= value <= most:
            raise InvalidRequest(path, f"must be a whole number from {least} to {most:,}")
        return int(value)

    return check


def _any(value: Any, path: str) -> Any:
    return value


_CHECKS: Mapping[str, Callable[[Any, str], Any]] = {
    "command": _any,
    "query": _any,
    "after": _any,
    "commandId": _identifier,
    "accountId": _identifier,
    "toAccountId": _identifier,
    "name": _identifier,
    "currency": _currency,
    "amount": _whole(1, MAX_AMOUNT),
    "atLeast": _whole(0, _VERSIONS),
    "limit": _whole(1, MAX_LIMIT),
}

"""What an audit of a store is: it compares all that a pattern keeps, and names the first difference.

A person runs it, no Lambda: `make audit`, `make repair` and `make restore-drill` find `audit.py` in a pattern's folder.
It reads only, takes all of its time, and keeps on disk what does not fit into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

Environ = Mapping[str, str]
"""The environment variables of the store's `get_all_events` Lambda: they tell what readers know, and may read."""

Tell = Callable[[str], None]
"""Takes a line about progress."""

SETTLE_SECONDS = 60.0
"""Events with younger ids may be on their way into the order of all events, and are not missed there."""


REBUILD = "a projection that had read beyond that before has read events that are no more at their positions: rebuild"
"""What to do about a log that was set back to a position; the end of a sentence, but for what is rebuilt."""


class Difference(Exception):
    """What an audit found first. The text says what it is, and what to do next."""


class AuditModule(Protocol):
    """What `patterns/<name>/audit.py` offers at least."""

    def audit(self, environ: Environ, tell: Tell, settle_seconds: float, /) -> str:
        """Read the whole store, and answer with what it holds, in a sentence.

        Raises:
            Difference: the store contradicts itself.
        """


class Repairs(Protocol):
    """What it offers besides, where events are kept in two places: one can be repaired from the other."""

    def repair(self, environ: Environ, tell: Tell, /, *, restored: bool) -> None:
        """Have each place of the store hold what the others hold; nothing is ever removed from any.

        `restored` says that the tables were made from backups. It may be killed, and repeated, as often as you like.

        Raises:
            Difference: what no place holds any more cannot be given back. Then nothing was written.
        """


class Restores(Protocol):
    """What it offers besides, where the store is not made of DynamoDB tables, which are restored one by one."""

    def restore_variables(self, environ: Environ, at: str | None, /, *, keep: bool) -> Mapping[str, str]:
        """The Terraform variables with which the module makes a store from a backup of the one with this environment.

        `at` is a moment (RFC 3339), None for the latest. A store that is not to be `keep`t leaves nothing behind.
        """

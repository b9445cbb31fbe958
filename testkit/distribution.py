"""How the suite is spread over xdist's workers: with `--dist loadgroup`, each test goes to whichever worker is free.

Tests that share a fixture of their module, or one of their folder that lasts a session, stay together and in order: it
is made once, and some of them build on each other. These groups come first, since they take longest; then what needs no
deployed pattern, while patterns are being deployed. (xdist's own marker for groups has no effect under pytest 9.2.)
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

MOST_WORKERS = 8
"""More would only wait for the one local AWS."""

_DEPLOYED = {"aws", "store", "fresh"}
"""The fixtures of `testkit.fixtures` that lead to the session's local AWS."""


def workers() -> int:
    """More than there are cores: deployments and deployed Lambdas are waited for."""
    return min(3 * (os.cpu_count() or 1), MOST_WORKERS)


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # xdist is not typed
    """Hands out whole groups, the largest first, and then all other tests one by one, in the order of the workers."""

    def __init__(self, config: pytest.Config, log: Any, folder: Path) -> None:
        super().__init__(config, log)
        self._folder = folder
        self._groups: dict[str, str] | None = None

    def _split_scope(self, nodeid: str) -> str:
        if self._groups is None:
            self._groups = json.loads(_file(self._folder).read_text(encoding="utf-8"))
        return self._groups.get(nodeid, nodeid)


def arrange(items: list[pytest.Item], folder: Path) -> None:
    """Puts the tests in order, and leaves their groups in the session's folder, for the controller to find."""
    items.sort(key=needs_local_aws)
    groups = {item.nodeid: group for item in items if (group := _group(item))}
    unfinished = folder / f"groups-{os.getpid()}"
    unfinished.write_text(json.dumps(groups), encoding="utf-8")
    unfinished.replace(_file(folder))  # all workers find the same


def needs_local_aws(item: pytest.Item) -> bool:
    return any(
        name in _DEPLOYED and definitions[-1].func.__module__ == "testkit.fixtures"
        for name, definitions in _fixtures(item).items()
    )


def _group(item: pytest.Item) -> str | None:
    """What a test shares with others of its module or folder, by name."""
    for definitions in _fixtures(item).values():
        if definitions[-1].scope == "module":
            return item.nodeid.partition("::")[0]
        if definitions[-1].scope == "session" and definitions[-1].baseid:
            return definitions[-1].baseid
    return None


def _fixtures(item: pytest.Item) -> Mapping[str, Sequence[pytest.FixtureDef[Any]]]:
    """By name, that of the module nearest to the test last."""
    return item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}


def _file(folder: Path) -> Path:
    return folder / "groups.json"

"""How the suite is spread over xdist's workers with `--dist loadgroup`: each test goes to whichever is free.

Tests that share a fixture of their module, or one of their folder that lasts a session, stay together and in order: it
is made once, and some of them build on each other. These groups come first, since they take longest; then what needs no
deployed pattern, while patterns are being deployed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

MOST_WORKERS = 8
"""More would only wait for the one local AWS."""

_DEPLOYED = {"aws", "store", "fresh"}
"""The fixtures of `testkit.fixtures` that lead to the session's local AWS."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """More than there are cores: deployments and deployed Lambdas are waited for."""
    return min(2 * (os.cpu_count() or 1), MOST_WORKERS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not hasattr(config, "workerinput"):
        return
    for item in items:
        if group := _group(item):
            item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: (item.get_closest_marker("xdist_group") is None, needs_local_aws(item)))


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

"""`make verify`: exit status 0 for a history that is the signed one, and a line for each event that is not."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from tools import targets, verify
from tools.console import Failure
from tools.discovery import Pattern, patterns


@pytest.fixture
def provable() -> Pattern:
    return next(pattern for pattern in patterns() if pattern.sheet["guarantees"]["tamper_evident"])


def verified(pattern: Pattern, monkeypatch: pytest.MonkeyPatch, differences: list[str]) -> None:
    """The command, on a store in which these differ."""

    class Verification:
        @classmethod
        def of(cls, outputs: Any, tell: Any) -> Verification:
            return cls()

        def differences(self) -> list[str]:
            return differences

        def summary(self) -> str:
            return "all is well"

    monkeypatch.setattr(verify, "import_module", lambda name: SimpleNamespace(Verification=Verification))
    monkeypatch.setattr(verify, "outputs", lambda pattern, target: {})
    monkeypatch.setattr(targets, "reach", lambda name: SimpleNamespace(environment=dict(os.environ)))
    monkeypatch.setattr("sys.argv", ["verify", pattern.name])
    with patch.dict(os.environ):
        verify.main()


def test_a_history_that_is_the_signed_one_is_told(
    provable: Pattern, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verified(provable, monkeypatch, [])
    assert capsys.readouterr().out == f"{provable.name}: all is well\n"


def test_what_differs_is_a_line_each_and_a_failure(
    provable: Pattern, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Failure, match=f"The history of {provable.name} is not the one"):
        verified(provable, monkeypatch, ["changed: one", "missing: other"])
    assert capsys.readouterr().out == f"{provable.name}: changed: one\n{provable.name}: missing: other\n"


def test_of_many_differences_the_first_are_shown(
    provable: Pattern, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Failure):
        verified(provable, monkeypatch, [str(number) for number in range(100)])
    lines = capsys.readouterr().out.splitlines()
    assert [lines[0], lines[19], lines[20]] == [f"{provable.name}: {what}" for what in ("0", "19", "and more")]


def test_a_pattern_that_signs_nothing_cannot_be_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = next(pattern for pattern in patterns() if not pattern.sheet["guarantees"]["tamper_evident"])
    with pytest.raises(Failure, match="has tamper_evident = false"):
        verified(plain, monkeypatch, [])

"""What is kept of a comparison, and what a further one may cost on a real account."""

import pytest

from compare import __main__ as comparison
from compare.measure import environments
from compare.measure.workloads import TOLD_RATES
from compare.report.baseline import estimate
from tests.compare.made_up import compared
from tools import targets
from tools.console import Failure
from tools.discovery import patterns

FIGURES = compared()["carries_over"]
HOUR = FIGURES["patterns"]["clockwork"]["money"]["month"]["1024"][TOLD_RATES.index(10.0)] / 730


def test_a_comparison_on_an_account_is_estimated_by_an_hour_of_each_pattern() -> None:
    assert estimate(["clockwork"], FIGURES) == pytest.approx(HOUR)
    assert estimate(["clockwork", "ledgerlike"], FIGURES) == pytest.approx(HOUR + 4 * HOUR)


def test_a_pattern_without_figures_is_taken_for_the_most_expensive() -> None:
    assert estimate(["new"], FIGURES) == pytest.approx(4 * HOUR)


def test_on_an_account_nothing_is_done_before_somebody_agreed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    account = targets.Target("aws", "account 1, region r", {}, {}, keeps_nothing=False)
    monkeypatch.delenv("YES", raising=False)
    monkeypatch.setattr(environments, "local", lambda patterns: pytest.fail("something was started"))

    with pytest.raises(Failure, match=r"It may cost \$\d+\.\d\d\..* YES=1") as refused:
        comparison.measure(patterns(), account)

    assert all(pattern.name in str(refused.value) for pattern in patterns())
    assert "account 1, region r" in capfd.readouterr().err

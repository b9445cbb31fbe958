"""The measurement through the Lambdas: on stores with a defect, which it must find, and on the deployed patterns."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from compare.history import checker
from compare.measure import timings
from compare.measure.environments import Deployed
from compare.measure.timings import DIFFERENT, SAME, Range, Timer, Timings
from compare.report.page import page
from testkit.session import Session
from tests.compare import planted
from tests.compare.made_up import compared
from tests.compare.planted import Defect
from tools.discovery import Pattern

CAUGHT = (
    planted.SkipsAnAppend,
    planted.SkipsAnEventOfTheLog,
    planted.DoublesAnEventOfTheLog,
    planted.SwapsTwoEventsOfTheLog,
    planted.AnswersBeforeItIsDurable,
    planted.ForgesMetadata,
)


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    settings: dict[str, Any] = {
        "CALLS": 8,
        "LAGS": 3,
        "WRITERS": (1, 3),
        "SECONDS": 0.1,
        "VISIBLE_SECONDS": 5.0,
        "PAUSE_SECONDS": 0.02,
    }
    with patch.multiple(timings, **settings):
        yield


def run(answer: Any, guarantees: Any = checker.STRICTEST) -> Timings:
    return Timer("a store", answer, guarantees).run()


def test_a_correct_store_is_found_to_be_one() -> None:
    measured = run(Defect().answer)

    assert measured.anomalies == {}
    assert measured.admitted == {}
    assert measured.goodput.keys() == {SAME, DIFFERENT}
    assert all(point.per_second > 0 for points in measured.goodput.values() for point in points)
    assert measured.read_all_events > 20


@pytest.mark.parametrize("defect", CAUGHT, ids=lambda defect: defect.__name__)
def test_a_defect_turns_up_in_the_report_as_its_anomaly(defect: type[Defect]) -> None:
    measured = run(defect().answer)
    figures = compared()
    figures["timing"]["clockwork"]["anomalies"] = measured.anomalies

    assert defect.shows_as in measured.anomalies
    assert f"{measured.anomalies[defect.shows_as]} {defect.shows_as}" in page(figures)


def test_a_deployed_pattern_breaks_no_promise(each_pattern: Pattern, session: Session, aws: None) -> None:
    described = session.deployment(each_pattern.name)
    deployed = Deployed(each_pattern, described["functions"], described["environment"], {"resources": []})

    with patch.object(timings, "VISIBLE_SECONDS", 30.0):
        measured = run(deployed.answer(), each_pattern.sheet["guarantees"])

    # The deployment is shared: what other tests have stored there, no client of this history did.
    assert measured.anomalies.keys() <= {checker.INVENTED}


def test_ranges_are_medians_and_ends() -> None:
    assert Range.of([5.0, 1.0, 3.0, 2.0, 4.0]) == Range(median=3.0, low=1.0, high=5.0, p95=5.0, count=5)

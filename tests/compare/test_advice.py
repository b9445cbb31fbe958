"""Which store is the cheapest at which rate, on curves whose crossings are known."""

from typing import Any

import pytest

from compare.model.advice import Curve, Stretch, cheapest, crossovers

RATES = (0.01, 1000)


def test_the_rate_is_found_at_which_the_cheaper_becomes_the_dearer() -> None:
    per_request, flat = (lambda rate: 5 * rate), (lambda rate: 20.0)

    for cheaper_first in (("flat", "request"), ("request", "flat")):
        both = dict(zip(cheaper_first, (Curve(flat), Curve(per_request)), strict=True))
        flat_name, request_name = cheaper_first
        [(rate, first, then)] = crossovers(both, RATES)
        assert (first, then) == (request_name, flat_name)
        assert rate == pytest.approx(4, rel=1e-5)
    assert crossovers({"one": Curve(per_request), "other": Curve(lambda rate: 6 * rate)}, RATES) == []


def test_nothing_crosses_beyond_what_both_sustain() -> None:
    curves = {"flat": Curve(lambda rate: 20.0), "request": Curve(lambda rate: 5 * rate, highest=3)}

    assert crossovers(curves, RATES) == []


def cheapest_of(**curves: Curve) -> list[tuple[str, Any, Any]]:
    found = cheapest(curves, RATES, among=curves)
    return [(each.name, pytest.approx(each.low), pytest.approx(each.high)) for each in found]


def test_the_cheapest_changes_where_two_cross_and_where_one_can_no_more() -> None:
    by_request, flat, dear = Curve(lambda rate: 5 * rate), Curve(lambda rate: 20.0), Curve(lambda rate: 50.0)

    assert cheapest_of(request=by_request, flat=flat, dear=dear) == [("request", 0.01, 4), ("flat", 4, 1000)]
    weak = Curve(flat.cost, highest=7)
    assert cheapest_of(request=by_request, flat=weak, dear=dear) == [
        ("request", 0.01, 4),
        ("flat", 4, 7),
        ("request", 7, 10),
        ("dear", 10, 1000),
    ]


def test_where_none_goes_further_nothing_is_the_cheapest() -> None:
    assert cheapest_of(weak=Curve(lambda rate: 1.0, highest=7)) == [("weak", 0.01, 7)]
    assert cheapest_of() == []


def test_one_that_stays_the_cheapest_past_the_end_of_another_is_named_once() -> None:
    curves = {"a": Curve(lambda rate: 1.0), "b": Curve(lambda rate: 2.0, highest=7)}

    assert cheapest(curves, RATES, among=curves) == [Stretch("a", 0.01, 1000)]


def test_only_those_are_compared_that_fit() -> None:
    curves = {"cheap": Curve(lambda rate: 1.0), "fits": Curve(lambda rate: 2.0)}

    assert cheapest(curves, RATES, among={"fits"}) == [Stretch("fits", 0.01, 1000)]

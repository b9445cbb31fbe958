"""Charts as they stand in the page."""

import re
from xml.etree import ElementTree

import pytest

from compare.report.charts import lines, ranges

SVG = "{http://www.w3.org/2000/svg}"


def elements(drawn: str) -> ElementTree.Element:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return ElementTree.fromstring(str(drawn).replace("<svg ", f"<svg {names} ", 1))


def texts(drawn: str) -> list[str]:
    return [element.text or "" for element in elements(drawn).iter(f"{SVG}text")]


def test_a_logarithmic_axis_has_its_powers_of_ten_and_a_linear_one_begins_at_zero() -> None:
    drawn = lines("costs", [("a", 0, [0.01, 100], [7, 45])], "rate", "dollars", log="x")

    assert texts(drawn) == ["0.01", "0.1", "1", "10", "100", "rate", "0", "10", "20", "30", "40", "dollars"]


def test_ticks_stand_where_they_are_asked_for() -> None:
    drawn = lines(
        "sizes", [("a", 0, [0.5, 10], [1, 1000])], "KB", "", log="xy", ticks=[0.5, 4, 10], text="${:,g}".format
    )

    assert [text for text in texts(drawn) if text] == ["0.5", "4", "10", "KB", "$1", "$10", "$100", "$1,000"]


def test_a_chart_can_be_read_by_those_who_do_not_see_it() -> None:
    drawn = lines('the "title"', [("a <b>", 0, [0, 1], [0, 1])], "x", "y")

    chart = elements(drawn)
    assert (chart.get("role"), chart.get("aria-label")) == ("img", 'the "title"')
    titles = [title.text for title in chart.iter(f"{SVG}title")]
    assert titles == ["a <b>", "a <b>: 0, 0", "a <b>: 1, 1"]


def test_a_range_is_told_in_words() -> None:
    drawn = ranges("latency", [("ksuid", 0, {"median": 0.02, "low": 0.01, "high": 0.5})], "ms", "{:g} s".format)

    assert "ksuid: median 0.02 s, 0.01 s to 0.5 s" in texts(drawn)


@pytest.mark.parametrize("log", ["", "xy"])
def test_colours_are_those_of_the_page_so_that_it_can_be_light_or_dark(log: str) -> None:
    drawn = lines("many", [(str(n), n, [1, 10], [1, 10 + n]) for n in range(9)], "x", "y", log=log, marks=[(2, 2)])

    assert not re.search(r"#[0-9a-fA-F]{6}\b", drawn)
    assert {f"--c{n}" for n in range(8)} | {"--ink", "--soft", "--line"} == set(re.findall(r"var\((--\w+)\)", drawn))

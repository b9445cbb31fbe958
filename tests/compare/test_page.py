"""The page and the guide, from figures made up for two patterns."""

import html
import html.parser
import json
import re
from typing import Any

import pytest
from markupsafe import escape

from compare.history.checker import KINDS
from compare.measure.workloads import OPERATIONS
from compare.model.comparison import compare
from compare.model.costs import Prices
from compare.report.page import broken_promises, guide, page, summary
from testkit.faults import ENUMERATED
from tests.compare.made_up import compared


@pytest.fixture(scope="module")
def document() -> str:
    return page(compared())


class Balance(html.parser.HTMLParser):
    """Fails on tags that are not closed in order."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_shows_every_pattern(document: str) -> None:
    balance = Balance()
    balance.feed(document)
    assert balance.open == []
    for name in ("clockwork", "ledgerlike"):
        assert f"<code>{name}</code>" in document


def test_a_chart_of_what_no_pattern_reaches_is_left_out() -> None:
    figures = compared()
    for pattern in figures["carries_over"]["patterns"].values():
        for dollars in pattern["money"]["by_size"].values():
            dollars[1] = None
    assert "appends a second, by size" not in page(figures)
    assert "append a second, by size" in page(figures)


def test_the_page_needs_no_network_and_no_script(document: str) -> None:
    assert "<script" not in document
    assert re.findall(r'(?:src|href)="(?!data:|https://|#)[^"]*"', document) == []
    assert "@import" not in document
    assert re.findall(r"url\((?!#)", document) == [], "only clips within a drawing"
    # What is linked are sources for a person to follow, nothing that a browser would fetch.
    assert "<img" not in document
    assert "<image" not in document


def test_no_two_parts_of_the_page_have_one_id(document: str) -> None:
    ids = re.findall(r' id="([^"]*)"', document)
    assert len(ids) == len(set(ids))


def test_what_carries_over_comes_before_what_does_not(document: str) -> None:
    headings = ("What each operation takes", "Money", "Times, on", "Goodput")
    places = [document.index(f"<h2>{heading}") for heading in headings]
    assert places == sorted(places)
    assert "an emulator" in document


def test_the_page_is_the_same_each_time_it_is_made(document: str) -> None:
    assert page(compared()) == document
    assert not re.search(r"20\d\d-\d\d-\d\dT", document), "no date of its making"


def test_a_broken_promise_shows_as_that_anomaly() -> None:
    figures = compared()
    figures["timing"]["clockwork"]["anomalies"] = {"lost": 3}
    figures["carries_over"]["patterns"]["ledgerlike"]["faults"]["CrashAfter"]["anomalies"] = {"doubled": 1}

    document = page(figures)

    assert "3 lost" in document
    assert "1 doubled" in document
    assert broken_promises(figures["carries_over"]["patterns"]["clockwork"], figures["timing"]["clockwork"]) == 3


def test_names_and_texts_are_escaped() -> None:
    figures = compared()
    figures["carries_over"]["patterns"]["clockwork"]["summary"] = "<script>alert(1)</script>"

    assert "<script>" not in page(figures)


def advice() -> dict[str, str]:
    rows = [row.strip("| ").split(" | ") for row in guide(compared()["carries_over"]).split("\n\n")[0].splitlines()]
    return dict(rows[2:])


def test_the_guide_names_patterns_by_what_the_figures_say() -> None:
    said = advice()

    assert said["Cost is all that counts"] == (
        "The cheapest by the month, with events of 1 KB `clockwork` up to 2 a second, then `ledgerlike` up to 50 a "
        "second, where its ceiling is; of 10 KB `clockwork` up to 2 a second, then `ledgerlike` up to 50 a second, "
        "where its ceiling is. With `clockwork` events can be late: with perfect clocks and the default settle window, "
        "readers miss 1 % of them (simulated)."
    )
    assert said["All readers must agree on one order of all events"] == "Only `ledgerlike` does."
    assert "A change to history must be detectable from outside" not in said, "no pattern can"
    assert said["Most of the time nothing happens"] == (
        "An idle month costs $1.00 with `clockwork` and $4.00 with `ledgerlike`, storage aside."
    )
    assert said["There is a lot to write"] == (
        "Sustained appends of 1 KB, by the second: `ledgerlike` 50. For `clockwork` AWS publishes no such number."
    )


def test_the_page_says_what_the_guide_says(document: str) -> None:
    said = html.unescape(re.sub(r"</?code>", "`", document))

    for need, sentence in advice().items():
        assert f"<dt>{need}</dt><dd>{sentence}</dd>" in said


def test_the_guide_says_which_of_its_months_rest_on_a_guess() -> None:
    assert "For `clockwork` AWS publishes none" in guide(compared()["carries_over"])


def test_a_month_beyond_a_ceiling_has_no_price() -> None:
    header, _, clockwork, ledgerlike = guide(compared()["carries_over"]).split("\n\n")[2].splitlines()

    assert header == (
        "| dollars a month | nothing | 36 an hour | 6 a minute | 1 a second | 10 a second | 100 a second "
        "| 1,000 a second |"
    )
    assert clockwork.endswith("| $10,000 |")
    assert ledgerlike.endswith("| $400.00 | – | – |")


def test_the_terminal_shows_a_line_for_each_pattern() -> None:
    for name in ("clockwork", "ledgerlike"):
        assert len(re.findall(rf"(?m)^\| {name} \|", summary(compared()))) == 3


def test_figures_survive_being_written_down(document: str) -> None:
    assert page(json.loads(json.dumps(compared()))) == document


def test_every_operation_kind_of_anomaly_and_kind_of_fault_is_explained(document: str) -> None:
    for kind, meaning in KINDS.items():
        assert f"<dt>{kind}</dt><dd>{escape(meaning)}</dd>" in document
    for fault in ENUMERATED:
        assert fault.__doc__
        assert f">{fault.__doc__}</th>" in document
    for workload in OPERATIONS.values():
        assert workload.what in document


def test_results_of_no_pattern_by_clock_have_no_late_events() -> None:
    assert compare([], {}, "here", Prices.load())["carries_over"]["late"] == []

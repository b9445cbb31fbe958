"""The page and the guide, from figures made up for two patterns."""

import html.parser
import json
import re
from typing import Any

import pytest
from rich.console import Console

from compare import chooser, report, table
from compare.charts import Axis, Series, lines
from compare.checker import KINDS
from compare.results import together
from tests.compare.figures import compared


@pytest.fixture(scope="module")
def page() -> str:
    return report.page(compared())


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


def test_the_page_is_well_formed_and_shows_every_pattern(page: str) -> None:
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    for name in ("clockwork", "ledgerlike"):
        assert f"<code>{name}</code>" in page


def test_the_page_needs_no_network_and_no_script(page: str) -> None:
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!data:|https://)[^"]*"', page) == []
    assert "@import" not in page
    assert "url(" not in page
    # What is linked are sources for a person to follow, nothing that a browser would fetch.
    assert "<img" not in page


def test_what_carries_over_comes_before_what_does_not(page: str) -> None:
    assert (
        page.index("What each operation takes") < page.index("Money") < page.index("Times, on") < page.index("Goodput")
    )
    assert "an emulator" in page


def test_a_broken_promise_shows_as_that_anomaly() -> None:
    figures = compared()
    figures["timing"]["clockwork"]["anomalies"] = {"lost": 3}
    figures["carries_over"]["patterns"]["ledgerlike"]["faults"]["CrashAfter"]["anomalies"] = {"doubled": 1}

    page = report.page(figures)

    assert "3 lost" in page
    assert "1 doubled" in page
    assert table.broken_promises(figures["carries_over"]["patterns"]["clockwork"], figures["timing"]["clockwork"]) == 3


def test_names_and_texts_are_escaped() -> None:
    figures = compared()
    figures["carries_over"]["patterns"]["clockwork"]["summary"] = "<script>alert(1)</script>"

    assert "<script>" not in report.page(figures)


def test_the_guide_names_patterns_by_what_the_figures_say() -> None:
    advice = {each.when: each.then for each in chooser.advice(compared()["carries_over"])}

    assert advice["Cost is all that counts"] == (
        "The cheapest by the month, with events of 1 KB `clockwork` up to 2 a second, then `ledgerlike` up to 50 a "
        "second, where its ceiling is; of 10 KB `clockwork` up to 2 a second, then `ledgerlike` up to 50 a second, "
        "where its ceiling is."
    )
    assert advice["All readers must agree on one order of all events"] == "Only `ledgerlike` does."
    assert "A change to history must be detectable from outside" not in advice, "no pattern can"
    assert advice["There is a lot to write"] == (
        "Appends of 1 KB that are borne for ever, by the second: `ledgerlike` 50. "
        "For `clockwork` AWS publishes no such number."
    )


def test_the_guide_says_which_of_its_months_rest_on_a_guess() -> None:
    assert "For `clockwork` AWS publishes none" in chooser.markdown(compared()["carries_over"])


def test_a_month_beyond_a_ceiling_has_no_price() -> None:
    header, [clockwork, ledgerlike] = chooser.month_table(compared()["carries_over"]["patterns"], 1024)

    assert header == [
        "dollars a month",
        "nothing",
        "36 an hour",
        "6 a minute",
        "1 a second",
        "10 a second",
        "100 a second",
        "1,000 a second",
    ]
    assert clockwork[-1] == "$10,000"
    assert ledgerlike[-3:] == ["$400.00", "–", "–"]


def test_the_terminal_shows_a_line_for_each_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    table.show(compared(), Console(width=200))

    printed = capsys.readouterr().out
    assert printed.count("clockwork") == printed.count("ledgerlike") == 3


def test_a_logarithmic_axis_has_its_powers_of_ten_and_keeps_within_its_ends() -> None:
    axis = Axis("x", 0.01, 100, log=True)

    assert axis.ticks() == pytest.approx([0.01, 0.1, 1, 10, 100])
    assert axis.place(1) == pytest.approx(0.5)
    assert axis.place(1e9) == 1
    assert Axis("y", 0, 45).ticks() == [0, 10, 20, 30, 40]


def test_a_chart_can_be_read_by_those_who_do_not_see_it() -> None:
    drawn = lines("the title", Axis("x", 0, 1), Axis("y", 0, 1), [Series("a <b>", 0, [(0, 0), (1, 1)])])

    assert 'role="img" aria-label="the title"' in drawn
    assert "a &lt;b&gt;" in drawn


def test_figures_survive_being_written_down() -> None:
    assert report.page(json.loads(json.dumps(compared()))) == report.page(compared())


def test_every_kind_of_anomaly_is_explained_on_the_page(page: str) -> None:
    for kind in KINDS:
        assert f"<dt>{kind}</dt>" in page


def test_results_of_no_pattern_by_clock_have_no_late_events() -> None:
    assert together([], {}, "here", _prices())["carries_over"]["late"] == []


def _prices() -> Any:
    from compare.costs import Prices

    return Prices.load()

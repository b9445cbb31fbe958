"""What is said to carry over is the same to the digit whenever it is measured, and is what the kept figures say."""

import json
from typing import Any

from compare.measure import resource_use
from compare.measure.environments import Deployed
from compare.measure.fault_trials import under_faults
from compare.measure.workloads import KB, OPERATIONS, SIZES, event
from compare.model.costs import Prices, Profile
from compare.report.baseline import README, baseline, with_guide
from lambdas.eventstore.dynamodb.items import item_bytes
from testkit.session import Session
from tools.discovery import Pattern

PRICES = Prices.load()


def deployed(pattern: Pattern, session: Session) -> Deployed:
    described = session.deployment(pattern.name)
    return Deployed(pattern, described["functions"], described["environment"], {"resources": []})


def test_calls_units_and_bytes_are_those_of_an_earlier_run(each_pattern: Pattern, session: Session, aws: None) -> None:
    """Of the run that was kept; of one more, for a pattern that came after the last `make figures`."""

    def run() -> Any:
        with resource_use.fresh_stores(deployed(each_pattern, session), PRICES) as stores:
            measured = resource_use.operations(stores)
        figures = {size: {name: use.figures() for name, use in uses.items()} for size, uses in measured.items()}
        return json.loads(json.dumps(figures))

    kept = baseline()["patterns"].get(each_pattern.name)

    assert run() == (kept["operations"] if kept else run()), "out of date: run make compare, then make figures"


def test_what_the_costs_rest_on_is_the_same_in_each_run(each_pattern: Pattern, session: Session, aws: None) -> None:
    def run() -> Profile:
        with resource_use.fresh_stores(deployed(each_pattern, session), PRICES) as stores:
            return resource_use.profile(stores, KB)

    assert run() == run()


def test_faults_behave_as_in_an_earlier_run_and_break_no_promise(
    each_pattern: Pattern, session: Session, aws: None
) -> None:
    def run() -> Any:
        with resource_use.fresh_stores(deployed(each_pattern, session), PRICES) as stores:
            return under_faults(stores, each_pattern.sheet["guarantees"])

    kept = baseline()["patterns"].get(each_pattern.name)
    seen = run()

    assert seen == (kept["faults"] if kept else run()), "out of date: run make compare, then make figures"
    for kind in seen.values():
        assert kind["anomalies"] == {}
        assert kind["trials"] > 0
        assert kind["outcomes"].keys() <= {"answered", "recovered"}


def test_the_readme_has_the_guide_of_the_kept_figures() -> None:
    assert with_guide(baseline()) == README.read_text(encoding="utf-8")


def test_events_are_the_same_in_each_run_and_fit_their_size_once_stored() -> None:
    for size in SIZES:
        made = event("an aggregate", 7, size)
        assert made == event("an aggregate", 7, size)
        item: dict[str, Any] = {
            **{name: {"S": made[name]} for name in ("aggregateId", "eventType")},
            **{name: {"N": str(made[name])} for name in ("aggregateVersion", "eventVersion")},
            "metadata": {"M": {"text": {"S": made["metadata"]["text"]}}},
        }
        assert size * 0.6 < item_bytes(item) < size


def test_operations_are_measured_on_whole_work() -> None:
    assert {"append_1", "append_10", "read_aggregate", "read_page", "catch_up"} <= OPERATIONS.keys()

"""The cost model against figures worked out by hand."""

import math
from typing import Any

import pytest

from compare.model.costs import GB, Costs, Infrastructure, Prices, Profile, Work, total

ROUND: dict[str, Any] = {
    "prices": {
        "dynamodb_write_units": {"usd": 1, "per": 1_000_000},
        "dynamodb_read_units": {"usd": 0.5, "per": 1_000_000},
        "dynamodb_gb_months": {"usd": 0.25, "per": 1},
        "dynamodb_backup_gb_months": {"usd": 0.25, "per": 1},
        "lambda_requests": {"usd": 0.2, "per": 1_000_000},
        "lambda_gb_seconds": {"usd": 0.00001, "per": 1},
        "log_gb": {"usd": 0.5, "per": 1},
        "sqs_fifo_requests": {"usd": 0.5, "per": 1_000_000},
        "aurora_acu_hours": {"usd": 0.1, "per": 1},
        "aurora_io": {"usd": 0.2, "per": 1_000_000},
        "aurora_gb_months": {"usd": 0.1, "per": 1},
        "alarm_months": {"usd": 0.1, "per": 1},
    },
    "assumptions": {
        "hours_per_month": {"value": 1000},
        "handler_ms": {"value": 5},
        "log_bytes": {"value": 0},
        "stream_poll_seconds": {"value": 0.25},
        "acu_awake": {"value": 0.5},
        "acu_per_request_rate": {"value": 0.01},
        "io_per_write": {"value": 2},
    },
}
NOTHING = Work({}, 0.0)
FUNCTIONS = {"store_events": 1024, "get_aggregate_events": 1024, "get_all_events": 1024}


@pytest.fixture
def costs() -> Costs:
    return Costs(Prices(ROUND))


def profile(**given: Any) -> Profile:
    nothing = dict.fromkeys(("append", "read_aggregate", "poll", "catch_up", "pipeline_one", "pipeline_more"), NOTHING)
    return Profile(**{**nothing, "stored_bytes": 0.0, **given})


def test_a_million_operations_cost_their_units_and_invocations(costs: Costs) -> None:
    work = Work({"dynamodb_write_units": 2, "dynamodb_read_units": 1}, milliseconds=15)

    # 2 x $1 + 1 x $0.50 + $0.20 for the requests + 20 ms x 1 GB x $10 a million
    assert costs.per_million(work, memory=1024) == pytest.approx(2 + 0.5 + 0.2 + 0.2)
    assert costs.per_million(work, memory=512) == pytest.approx(2 + 0.5 + 0.2 + 0.1)


def test_the_price_table_gives_the_known_price_of_a_million_writes() -> None:
    prices = Prices.load()

    assert prices.dollars({"dynamodb_write_units": 1e6, "dynamodb_read_units": 2e6}) == pytest.approx(0.625 + 0.25)
    assert prices.dollars({"kms_asymmetric_requests": 1e6}) == pytest.approx(15)
    assert prices.dollars({"aurora_acu_hours": 0.5 * 730}) == pytest.approx(43.8)


def test_what_has_no_price_is_an_error_and_not_free(costs: Costs) -> None:
    with pytest.raises(KeyError, match="gold"):
        costs.prices.dollars({"gold": 1})


def test_every_price_and_assumption_says_where_it_comes_from() -> None:
    table = Prices.load().table

    for price in table["prices"].values():
        assert price["source"].startswith("https://")
        assert price["seen"] in ("aws", "third party", "memory")
        assert price["usd"] > 0
        assert price["unit"]
    for assumption in table["assumptions"].values():
        assert assumption["why"]


def test_an_idle_month_costs_what_stands_there(costs: Costs) -> None:
    assert costs.idle_month(Infrastructure(fixed={"alarm_months": 7})) == pytest.approx(0.7)
    assert costs.idle_month(Infrastructure(pause_seconds=300)) == 0
    assert costs.idle_month(Infrastructure(pause_seconds=math.inf)) == pytest.approx(0.5 * 1000 * 0.1)


def test_a_month_of_appends_and_reads_and_polls(costs: Costs) -> None:
    measured = profile(
        append=Work({"dynamodb_write_units": 2}, 5),
        read_aggregate=Work({"dynamodb_read_units": 3}, 5),
        poll=Work({"dynamodb_read_units": 0.5}, 5),
        catch_up=Work({"dynamodb_read_units": 0.25}, 0),
        stored_bytes=GB / 3_600_000,
    )
    there = Infrastructure(functions=FUNCTIONS, backups=True)
    month = costs.prices.dollars(costs.month_usage(there, measured, 1.0, readers=2, polls_per_second=2))

    appends, polls, invocation = 3.6, 7.2, 0.2 + 0.1  # millions; $ a million for 10 ms at 1 GB
    expected = appends * (2 + invocation) + appends * (1.5 + invocation) + polls * (0.25 + invocation)
    expected += appends * 2 * 0.125 + 1 * (0.25 + 0.25)
    assert month == pytest.approx(expected)


def test_a_pipeline_is_shared_by_the_events_of_a_batch(costs: Costs) -> None:
    there = Infrastructure(functions=FUNCTIONS, pipeline_memory=(1024, 2048), batch_size=100, polled_queues=1)
    measured = profile(
        pipeline_one=Work({"dynamodb_write_units": 3}, 20), pipeline_more=Work({"dynamodb_write_units": 1}, 0)
    )
    without = costs.month_usage(Infrastructure(functions=FUNCTIONS), profile(), 40, polls_per_second=0)
    usage = costs.month_usage(there, measured, 40, polls_per_second=0)

    events = 40 * 3_600_000
    assert costs.batch(there, 40) == 10  # what comes in a quarter of a second
    assert usage["dynamodb_write_units"] == pytest.approx(events * (3 + 9 * 1) / 10)
    assert usage["lambda_requests"] - without["lambda_requests"] == pytest.approx(events * 2 / 10)
    # 5 ms in 1 GB, and with the 20 ms of the calls in 2 GB
    assert usage["lambda_gb_seconds"] - without["lambda_gb_seconds"] == pytest.approx(events * (0.005 + 0.05) / 10)
    assert usage["sqs_fifo_requests"] == pytest.approx(events * 2 / 10)


@pytest.mark.parametrize(("rate", "batch"), [(0.1, 1), (4, 1), (40, 10), (4000, 100)])
def test_a_batch_is_what_arrives_between_two_polls(costs: Costs, rate: float, batch: float) -> None:
    assert costs.batch(Infrastructure(batch_size=100), rate) == batch


def test_a_database_is_paid_for_while_it_is_awake(costs: Costs) -> None:
    there = Infrastructure(functions=FUNCTIONS, pause_seconds=300)
    measured = profile(append=Work({}, 0, requests=1), read_aggregate=Work({}, 0, requests=1))

    def usage(rate: float) -> Any:
        return costs.month_usage(there, measured, rate, polls_per_second=0)

    # Two requests every 1,200 s keep it awake for half of the time at half a unit.
    assert usage(1 / 1200)["aurora_acu_hours"] == pytest.approx(0.5 * 0.5 * 1000)
    assert usage(1)["aurora_acu_hours"] == pytest.approx(0.5 * 1000)
    assert usage(100)["aurora_acu_hours"] == pytest.approx(200 * 0.01 * 1000)
    assert usage(1)["aurora_io"] == pytest.approx(2 * 3_600_000)


def test_usages_add_up() -> None:
    assert total({"a": 1.0}, {"a": 2.0, "b": 3.0}) == {"a": 3.0, "b": 3.0}


def test_work_adds_up_and_scales() -> None:
    half = Work({"a": 2.0, "b": 4.0}, milliseconds=20, requests=1).times(0.5)

    assert Work({"a": 1.0}, milliseconds=10, requests=2).plus(half) == Work({"a": 2.0, "b": 2.0}, 20.0, 2.5)

"""What stands there and costs money, read off Terraform's state."""

import math
from typing import Any

import pytest

from compare.model.costs import Prices
from compare.model.infrastructure import infrastructure, resources
from lambdas.eventstore.wire import Operation

PRICES = Prices.load()
FUNCTIONS: dict[Operation, str] = {
    "store_events": "append",
    "get_aggregate_events": "aggregate",
    "get_all_events": "log",
}


def state(*added: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    functions = [
        ("aws_lambda_function", {"function_name": name, "memory_size": 512})
        for name in (*FUNCTIONS.values(), "further")
    ]
    return {
        "resources": [
            {"mode": "managed", "type": kind, "instances": [{"attributes": attributes}]}
            for kind, attributes in (*functions, *added)
        ]
    }


def mapping(source: str, batch: int) -> tuple[str, dict[str, Any]]:
    attributes = {
        "function_name": "arn:aws:lambda:x:1:function:further",
        "event_source_arn": source,
        "batch_size": batch,
    }
    return "aws_lambda_event_source_mapping", attributes


def test_alarms_keys_and_secrets_cost_the_same_every_month() -> None:
    nothing: dict[str, Any] = {}
    alarm, key = ("aws_cloudwatch_metric_alarm", nothing), ("aws_kms_key", nothing)
    cluster = ("aws_rds_cluster", {"manage_master_user_password": True, "serverlessv2_scaling_configuration": []})

    assert infrastructure(state(alarm, alarm, key), FUNCTIONS, PRICES).fixed == {"alarm_months": 2, "kms_key_months": 1}
    assert infrastructure(state(cluster), FUNCTIONS, PRICES).fixed == {"secret_months": 1}


def test_event_sources_make_the_pipeline_and_bound_its_batches() -> None:
    there = infrastructure(state(mapping("arn:x:stream", 100), mapping("arn:x:queue.fifo", 10)), FUNCTIONS, PRICES)

    assert there.pipeline_memory == (512, 512)
    assert there.batch_size == 100
    assert there.polled_queues == 1
    assert there.fixed["sqs_fifo_requests"] == pytest.approx(0.25 * 730 * 3600)


@pytest.mark.parametrize(
    ("schedule", "a_month"), [("rate(5 minutes)", 8760), ("rate(1 hour)", 730), ("cron(0 3 * * ? *)", 730 / 24)]
)
def test_a_schedule_invokes_so_often_a_month(schedule: str, a_month: float) -> None:
    rule = ("aws_cloudwatch_event_rule", {"schedule_expression": schedule})

    assert infrastructure(state(rule), FUNCTIONS, PRICES).fixed["lambda_requests"] == pytest.approx(a_month)


def test_a_cluster_pauses_if_it_may_go_to_zero() -> None:
    def cluster(**scaling: Any) -> tuple[str, dict[str, Any]]:
        return "aws_rds_cluster", {"serverlessv2_scaling_configuration": [scaling]}

    assert infrastructure(state(), FUNCTIONS, PRICES).pause_seconds is None
    assert (
        infrastructure(state(cluster(min_capacity=0, seconds_until_auto_pause=600)), FUNCTIONS, PRICES).pause_seconds
        == 600
    )
    assert infrastructure(state(cluster(min_capacity=0.5)), FUNCTIONS, PRICES).pause_seconds == math.inf


def test_only_what_terraform_made_counts() -> None:
    looked_up = {"mode": "data", "type": "aws_kms_key", "instances": [{"attributes": {}}]}

    assert list(resources({"resources": [looked_up]})) == []

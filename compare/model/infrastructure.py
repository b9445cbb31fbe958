"""What a deployed pattern costs by being there, and what bounds its batches: read off Terraform's state.

Only what has a price is looked at. A resource of a kind that is not known here costs nothing by the hour, or else it is
missing in `_FIXED`; a test names the kinds that the patterns use.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from compare.model.costs import Infrastructure, Prices, times, total
from lambdas.eventstore.wire import OPERATIONS, Operation

Attributes = Mapping[str, Any]

_FIXED: Mapping[str, Mapping[str, float]] = {
    "aws_cloudwatch_metric_alarm": {"alarm_months": 1.0},
    "aws_kms_key": {"kms_key_months": 1.0},
    "aws_secretsmanager_secret": {"secret_months": 1.0},
}


def infrastructure(state: Mapping[str, Any], functions: Mapping[Operation, str], prices: Prices) -> Infrastructure:
    """`functions` has the name of each operation's function."""
    memory = {each["function_name"]: int(each["memory_size"]) for each in of_kind(state, "aws_lambda_function")}
    mappings = list(of_kind(state, "aws_lambda_event_source_mapping"))
    queues = sum(".fifo" in mapping["event_source_arn"] for mapping in mappings)
    managed = [cluster for cluster in of_kind(state, "aws_rds_cluster") if cluster.get("manage_master_user_password")]
    usages = [_FIXED[kind] for kind, _ in resources(state) if kind in _FIXED]
    usages += [{"secret_months": 1.0} for _ in managed]  # the cluster's own, with its password
    if queues:
        polls = prices.assumed("sqs_idle_polls") * prices.assumed("hours_per_month") * 3600
        usages.append({"sqs_fifo_requests": queues * polls})
    return Infrastructure(
        fixed=total(*usages, _schedules(state, prices)),
        functions={operation: memory[functions[operation]] for operation in OPERATIONS},
        pipeline_memory=tuple(memory[mapping["function_name"].rpartition(":")[2]] for mapping in mappings),
        batch_size=max((int(mapping["batch_size"]) for mapping in mappings), default=1),
        polled_queues=queues,
        backups=any(
            recovery.get("enabled")
            for table in of_kind(state, "aws_dynamodb_table")
            for recovery in table.get("point_in_time_recovery") or []
        ),
        pause_seconds=_pause_seconds(state),
    )


def resources(state: Mapping[str, Any]) -> Iterator[tuple[str, Attributes]]:
    """Kind and attributes of each resource."""
    for resource in state["resources"]:
        if resource["mode"] == "managed":
            for instance in resource["instances"]:
                yield resource["type"], instance["attributes"]


def of_kind(state: Mapping[str, Any], kind: str) -> Iterator[Attributes]:
    return (attributes for each, attributes in resources(state) if each == kind)


def _schedules(state: Mapping[str, Any], prices: Prices) -> dict[str, float]:
    """Invocations by the clock. What they do is small: a look whether there is anything to do."""
    invocation = {"lambda_requests": 1.0, "lambda_gb_seconds": 0.05, "dynamodb_read_units": 2.0}
    minutes = prices.assumed("hours_per_month") * 60
    kinds = ("aws_cloudwatch_event_rule", "aws_scheduler_schedule")
    rules = [each["schedule_expression"] for kind in kinds for each in of_kind(state, kind)]
    return times(invocation, sum(minutes / _period(rule) for rule in rules if rule)) if any(rules) else {}


def _period(expression: str) -> float:
    """Minutes between two runs of `rate(5 minutes)`. A cron expression counts as daily."""
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    minutes = {"minute": 1.0, "hour": 60.0, "day": 1440.0}
    return float(found[1]) * minutes[found[2]] if found else minutes["day"]


def _pause_seconds(state: Mapping[str, Any]) -> float | None:
    for cluster in of_kind(state, "aws_rds_cluster"):
        for scaling in cluster.get("serverlessv2_scaling_configuration") or []:
            if scaling["min_capacity"] == 0:
                return float(scaling.get("seconds_until_auto_pause") or 300)
        return math.inf
    return None

"""Finds what a plan wants to create and an account has already, by the names in the plan.

Some calls that create (SQS, alarms, rules) take over what has the name without a word, and removing the deployment
would then delete what somebody else made. So a deployment looks first. It needs hardly more rights than Terraform needs
to read what it has made; where it may not look, it fails.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tools.console import Failure
from tools.plans import Change
from tools.targets import Target

SHOWN = 5
"""How many of them a refusal names."""

ABSENT = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "DBClusterNotFoundFault",
        "DBInstanceNotFound",
        "DBParameterGroupNotFound",
        "DBSubnetGroupNotFoundFault",
        "NoSuchEntity",
        "NotFound",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)
"""Error codes that say that there is none of that name."""


def identify(target: Target, change: Change) -> str | None:
    """The import id of what has the name that the change would give; None if nothing has it, or it has no name.

    Raises:
        Failure: AWS does not say.
    """
    kind = KINDS.get(change.type)
    if not kind or not all(change.after.get(argument) for argument in kind.arguments):
        return None  # part of something that has a name, or only known once that is made
    try:
        return kind.look(target.client(kind.service), *(change.after[argument] for argument in kind.arguments))
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return None
        raise Failure(f"It cannot be told whether {change.address} exists there already: {error}") from None


def refuse(target: Target, planned: Sequence[Change], remedy: str) -> None:
    """Refuses a plan that would make what is there already, and so cannot be this deployment's own."""
    created = [change for change in planned if change.actions == ("create",)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        identifiers = list(pool.map(lambda change: identify(target, change), created))
    taken = [f"{it.type} {found}" for it, found in zip(created, identifiers, strict=True) if found]
    if taken:
        more = f" and {len(taken) - SHOWN} more" if len(taken) > SHOWN else ""
        raise Exists(f"{', '.join(taken[:SHOWN])}{more} exist there, and were not made by this deployment. {remedy}")


class Exists(Failure):
    """Something of a planned name is there."""


@dataclass(frozen=True)
class Kind:
    """How resources of a type are found by their name: the arguments, and the call that gives the import id."""

    service: str
    arguments: tuple[str, ...]
    look: Callable[..., str | None]


def _first(found: Sequence[Mapping[str, Any]], key: str) -> str | None:
    return str(found[0][key]) if found else None


def _log_group(logs: Any, name: str) -> str | None:
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return _first([group for group in groups if group["logGroupName"] == name], "logGroupName")


def _topic(sns: Any, name: str) -> str | None:
    topics = [topic for page in sns.get_paginator("list_topics").paginate() for topic in page["Topics"]]
    return _first([topic for topic in topics if topic["TopicArn"].endswith(f":{name}")], "TopicArn")


def _mapping(functions: Any, source: str, function: str) -> str | None:
    found = functions.list_event_source_mappings(EventSourceArn=source, FunctionName=function)
    return _first(found["EventSourceMappings"], "UUID")


KINDS = {
    "aws_cloudwatch_event_rule": Kind("events", ("name",), lambda c, it: c.describe_rule(Name=it)["Name"]),
    "aws_cloudwatch_log_group": Kind("logs", ("name",), _log_group),
    "aws_cloudwatch_metric_alarm": Kind(
        "cloudwatch",
        ("alarm_name",),
        lambda c, it: _first(c.describe_alarms(AlarmNames=[it])["MetricAlarms"], "AlarmName"),
    ),
    "aws_db_subnet_group": Kind(
        "rds",
        ("name",),
        lambda c, it: _first(c.describe_db_subnet_groups(DBSubnetGroupName=it)["DBSubnetGroups"], "DBSubnetGroupName"),
    ),
    "aws_dynamodb_table": Kind(
        "dynamodb", ("name",), lambda c, it: c.describe_table(TableName=it)["Table"]["TableName"]
    ),
    "aws_iam_role": Kind("iam", ("name",), lambda c, it: c.get_role(RoleName=it)["Role"]["RoleName"]),
    "aws_lambda_event_source_mapping": Kind("lambda", ("event_source_arn", "function_name"), _mapping),
    "aws_lambda_function": Kind(
        "lambda",
        ("function_name",),
        lambda c, it: c.get_function_configuration(FunctionName=it)["FunctionName"],
    ),
    "aws_rds_cluster": Kind(
        "rds",
        ("cluster_identifier",),
        lambda c, it: _first(c.describe_db_clusters(DBClusterIdentifier=it)["DBClusters"], "DBClusterIdentifier"),
    ),
    "aws_rds_cluster_instance": Kind(
        "rds",
        ("identifier",),
        lambda c, it: _first(c.describe_db_instances(DBInstanceIdentifier=it)["DBInstances"], "DBInstanceIdentifier"),
    ),
    "aws_rds_cluster_parameter_group": Kind(
        "rds",
        ("name",),
        lambda c, it: _first(
            c.describe_db_cluster_parameter_groups(DBClusterParameterGroupName=it)["DBClusterParameterGroups"],
            "DBClusterParameterGroupName",
        ),
    ),
    "aws_s3_bucket": Kind("s3", ("bucket",), lambda c, it: c.head_bucket(Bucket=it) and it),
    "aws_sns_topic": Kind("sns", ("name",), _topic),
    "aws_sqs_queue": Kind("sqs", ("name",), lambda c, it: c.get_queue_url(QueueName=it)["QueueUrl"]),
}
"""The types that have a name in the plan. Of any other, creating it cannot take over what somebody else has made."""

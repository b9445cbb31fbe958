"""The alarms that Terraform reads back, in the protocol in which its provider asks."""

import urllib.request
import xml.etree.ElementTree as ElementTree
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.control import LocalAws

NAMESPACE = {"cw": "http://monitoring.amazonaws.com/doc/2010-08-01/"}
ALARM = {
    "AlarmName": "errors",
    "AlarmDescription": "Wakes & tells someone.",
    "Namespace": "AWS/Lambda",
    "MetricName": "Errors",
    "Dimensions.member.1.Name": "FunctionName",
    "Dimensions.member.1.Value": "first",
    "Dimensions.member.2.Name": "Resource",
    "Dimensions.member.2.Value": "second",
    "Statistic": "Sum",
    "Period": "60",
    "EvaluationPeriods": "1",
    "Threshold": "0",
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
    "ActionsEnabled": "true",
    "AlarmActions.member.1": "arn:aws:sns:us-east-1:000000000000:pager",
    "Tags.member.1.Key": "owner",
    "Tags.member.1.Value": "me",
}


def query(aws: LocalAws, **form: str) -> ElementTree.Element:
    request = AWSRequest(
        "POST",
        aws.endpoint,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        data=urlencode({**form, "Version": "2010-08-01"}),
    )
    SigV4Auth(Credentials("test", "test"), "monitoring", "us-east-1").add_auth(request)
    signed = urllib.request.Request(aws.endpoint, str(request.data).encode(), dict(request.headers))
    with urllib.request.urlopen(signed, timeout=10) as answer:
        return ElementTree.fromstring(answer.read())


def described(aws: LocalAws) -> list[ElementTree.Element]:
    return query(aws, Action="DescribeAlarms").findall(".//cw:MetricAlarms/cw:member", NAMESPACE)


def texts(alarm: ElementTree.Element, path: str) -> list[str | None]:
    return [found.text for found in alarm.findall(path, NAMESPACE)]


def test_an_alarm_is_described_with_all_it_was_made_with(aws: LocalAws) -> None:
    query(aws, Action="PutMetricAlarm", **ALARM)
    (alarm,) = described(aws)
    for name in ("AlarmDescription", "Statistic", "Period", "TreatMissingData", "ActionsEnabled", "MetricName"):
        assert texts(alarm, f"cw:{name}") == [ALARM[name]]
    assert texts(alarm, "cw:Dimensions/cw:member/cw:Name") == ["FunctionName", "Resource"]
    assert texts(alarm, "cw:Dimensions/cw:member/cw:Value") == ["first", "second"]
    assert texts(alarm, "cw:AlarmActions/cw:member") == ["arn:aws:sns:us-east-1:000000000000:pager"]
    assert texts(alarm, "cw:Tags") == []


def test_each_alarm_is_described_as_it_was_made_last(aws: LocalAws) -> None:
    query(aws, Action="PutMetricAlarm", **ALARM)
    query(aws, Action="PutMetricAlarm", **{**ALARM, "AlarmName": "other", "Period": "300"})
    query(aws, Action="PutMetricAlarm", **{**ALARM, "Period": "120"})
    periods = {alarm.findtext("cw:AlarmName", None, NAMESPACE): texts(alarm, "cw:Period") for alarm in described(aws)}
    assert periods == {"errors": ["120"], "other": ["300"]}


def test_without_alarms_none_is_described(aws: LocalAws) -> None:
    assert described(aws) == []

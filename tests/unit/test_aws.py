"""Clients: those of botocore, made with less work."""

import os
from pathlib import Path
from unittest.mock import patch

import botocore.session
import pytest
from botocore.exceptions import ClientError

from lambdas.eventstore import aws

SERVICES = ["dynamodb", "lambda", "rds-data", "sqs"]
REGION = {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in REGION.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_is_the_one_that_botocore_makes(service: str) -> None:
    own, plain = aws.client(service), botocore.session.get_session().create_client(service)

    assert own.meta.service_model.api_version == plain.meta.service_model.api_version
    assert own.meta.service_model.operation_names == plain.meta.service_model.operation_names
    assert own.meta.endpoint_url == plain.meta.endpoint_url
    assert own.meta.region_name == "eu-west-1"


@pytest.mark.parametrize("service", SERVICES)
def test_making_a_client_looks_into_no_folder_of_another_service(service: str) -> None:
    listed: list[Path] = []
    listdir = os.listdir

    def watched(path: str) -> list[str]:
        listed.append(Path(path))
        return listdir(path)

    with patch("os.listdir", watched):
        aws.client(service)

    assert {path.name for path in listed} == {service}


def test_errors_tell_their_codes() -> None:
    cancelled = ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
            "CancellationReasons": [{"Code": "None"}, {"Code": "ConditionalCheckFailed"}],
        },
        "TransactWriteItems",
    )
    assert aws.error_code(cancelled) == "TransactionCanceledException"
    assert aws.cancellation_codes(cancelled) == ["None", "ConditionalCheckFailed"]
    assert aws.cancellation_codes(ClientError({"Error": {"Code": "X"}}, "PutItem")) == []

"""Clients of AWS services, and what their errors mean.

Made with botocore rather than boto3: the same client class, without the resource layer and the S3 transfer manager
that boto3 imports, which is a third of a cold start.
"""

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.loaders import Loader

_CONFIG = Config(
    # The SDK retries lost connections, 5xx and throttling; what it does not retry (a cancelled transaction) the
    # stores do. The default read timeout of 60 s is longer than a Lambda's own. Five attempts at a service that is
    # silent may be so too: what bounds an invocation is `retry.invocation`.
    retries={"mode": "standard", "total_max_attempts": 5},
    connect_timeout=1,
    read_timeout=5,
    # Requests are validated by the wire's schema already.
    parameter_validation=False,
)


def client(service: str, config: Config = _CONFIG) -> Any:
    """A client configured by the environment: region, credentials, and AWS_ENDPOINT_URL if there is one."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _OneService(service))
    return session.create_client(service, config=config)


class _OneService(Loader):
    """Knows of one service. botocore's own looks into the folders of all 400 first: a quarter of a client's making."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def list_available_services(self, type_name: str) -> list[str]:
        return [self._service]


THROTTLED = {"ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded"}
"""Errors of a DynamoDB request (developerguide/Programming.Errors) that pass; the SDK has retried them already."""


def error_code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


def cancellation_codes(error: ClientError) -> list[str]:
    """Why a transaction was cancelled, one code for each of its items in order; "None" for an item that was fine."""
    return [reason["Code"] for reason in error.response.get("CancellationReasons", [])]

"""A local AWS of the tests' own, on a free port, which ends with them."""

import io
import json
import socket
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.control import LocalAws

LAMBDA_MAY_ASSUME = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    running = LocalAws.start(tmp_path / "state")
    yield running
    running.stop()


@pytest.fixture
def run(aws: LocalAws) -> Callable[..., Any]:
    """Runs Python source, which defines `handler(event, context)`, in a Lambda whose role may do nothing."""
    created = 0

    def invoke(source: str, event: object = None) -> Any:
        nonlocal created
        created += 1
        name, functions = f"function-{created}", client(aws, "lambda")
        role = client(aws, "iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(LAMBDA_MAY_ASSUME))
        functions.create_function(
            FunctionName=name,
            Role=role["Role"]["Arn"],
            Runtime="python3.13",
            Handler="function.handler",
            Timeout=60,
            Code={"ZipFile": _zipped("function.py", source)},
        )
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    return invoke


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        return int(holder.getsockname()[1])


def client(aws: LocalAws, service: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        region_name=aws.environment["AWS_REGION"],
        aws_access_key_id=aws.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws.environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def _zipped(name: str, content: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, content)
    return archive.getvalue()

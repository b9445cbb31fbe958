"""DynamoDB, its streams and SQS inside this process: the local AWS's own emulation of them, without HTTP and IAM.

A request costs a tenth of what it costs through the local AWS, whose one process all tests wait for; the answers are
the same, since the same code of the same version gives them. Clients are real ones: `installed()` puts the emulation in
the place of HTTP for clients that are made with `ENVIRONMENT` in the environment, and leaves all others alone. What is
stored stays in this process, so tests name tables and queues that no other test has.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from local import runtime
from local.control import REGION, STATE_DIR
from local.launch import CHECKOUT
from local.progress import silent
from testkit.aws_calls import answer

_HOST = "192.0.2.1"
"""An address that nobody has (RFC 5737). With a name for a host, clients of S3 would put the bucket in front of it."""

ENVIRONMENT = {
    **{
        f"AWS_ENDPOINT_URL_{service}": f"http://{_HOST}"
        for service in ("DYNAMODB", "DYNAMODB_STREAMS", "SQS", "S3", "KMS")
    },
    "AWS_ACCESS_KEY_ID": "test",  # root, on the local AWS
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
}

_MODULES = {
    "DynamoDB_20120810": "dynamodb",
    "DynamoDBStreams_20120810": "dynamodb_streams",
    "AmazonSQS": "sqs",
    "TrentService": "kms",
    "": "s3",
}
"""The emulator's module for each service, by how it names itself in the header X-Amz-Target. S3 has no such header."""

_one_at_a_time = threading.Lock()
"""The emulator counts on the event loop that it has in the local AWS: a request is answered before the next is seen."""


@contextmanager
def installed() -> Iterator[None]:
    services = {target: _service(module) for target, module in _MODULES.items()}
    over_http = URLLib3Session.send

    def send(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        if urlsplit(request.url).hostname != _HOST:
            return over_http(session, request)
        return _answer(services, request)

    with patch.object(URLLib3Session, "send", send):
        yield


def add_tables(definitions: Iterable[Mapping[str, Any]]) -> None:
    """Tables as CreateTable defines them, without items, as far as they are not there yet. Nothing if the environment
    leads elsewhere."""
    client = boto3.client("dynamodb")
    if urlsplit(client.meta.endpoint_url).hostname == _HOST:
        present = client.list_tables()["TableNames"]
        for definition in definitions:
            if definition["TableName"] not in present:
                client.create_table(**definition)


def _answer(services: dict[str, Any], request: AWSPreparedRequest) -> AWSResponse:
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    service = services[headers.get("x-amz-target", "").partition(".")[0]]
    url = urlsplit(request.url)
    with _one_at_a_time:
        running = service.handle_request(
            request.method, url.path, {**headers, "host": _HOST}, _content(request.body), parse_qs(url.query, True)
        )
        try:
            running.send(None)
        except StopIteration as done:
            status, answered, content = done.value
        else:
            raise AssertionError(f"{request.method} {request.url} does not answer at once")
    return answer(request, status, answered, content if isinstance(content, bytes) else content.encode())


def _content(body: Any) -> bytes:
    """The bytes of a request's body, which is a file for S3."""
    if hasattr(body, "read"):
        return bytes(body.read())
    return body.encode() if isinstance(body, str) else body or b""


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _service(module: str) -> Any:
    """A module of the emulator, out of the local AWS's environment, and nothing else of what is installed there."""
    if "ministack" not in sys.modules:
        python = runtime.ensure(STATE_DIR / "venv", CHECKOUT / "requirements" / "local.txt", silent)
        [package] = Path(python).parents[1].glob("lib/python3*/site-packages/ministack")
        spec = importlib.util.spec_from_file_location("ministack", package / "__init__.py")
        assert spec
        assert spec.loader
        sys.modules["ministack"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["ministack"])
        # The emulator's services ask its app whether IAM is enforced, and would import all that it has.
        app = ModuleType("ministack.app")
        vars(app)["AUTH"] = False
        sys.modules[app.__name__] = app
    return import_module(f"ministack.services.{module}")

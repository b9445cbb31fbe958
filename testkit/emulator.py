"""DynamoDB, its streams, SQS, S3 and KMS inside this process: the local AWS's own emulation, without HTTP and IAM.

A request costs a tenth of what it costs through the local AWS, whose one process all tests wait for; the answers are
the same, since the same code of the same version gives them. Clients are real ones: `installed()` puts the emulation in
the place of HTTP for clients that are made with `ENVIRONMENT` in the environment, and leaves all others alone. What is
stored stays in this process, so tests name tables and queues that no other test has.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session

from local import dynamodb, venvs
from local.control import REGION, STATE_DIR
from local.launch import CHECKOUT
from local.progress import silent
from testkit import clients
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
    client = clients.client("dynamodb")
    if urlsplit(client.meta.endpoint_url).hostname == _HOST:
        present = client.list_tables()["TableNames"]
        for definition in definitions:
            if definition["TableName"] not in present:
                client.create_table(**definition)


def _answer(services: dict[str, Any], request: AWSPreparedRequest) -> AWSResponse:
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    service = services[headers.get("x-amz-target", "").partition(".")[0]]
    url = urlsplit(request.url)
    status, answered, content = _run(
        service,
        {**headers, "host": _HOST},
        _content(request.body),
        method=request.method,
        path=url.path,
        query=parse_qs(url.query, True),
    )
    return answer(request, status, answered, content if isinstance(content, bytes) else content.encode())


def _run(
    service: Any,
    headers: Mapping[str, str],
    body: bytes,
    method: str = "POST",
    path: str = "/",
    query: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[int, dict[str, str], Any]:
    with _one_at_a_time:
        running = service.handle_request(method, path, headers, body, query)
        try:
            running.send(None)
        except StopIteration as done:
            answered: tuple[int, dict[str, str], Any] = done.value
            return answered
    raise AssertionError(f"{method} {path} does not answer at once")


def _content(body: Any) -> bytes:
    """The bytes of a request's body, which is a file for S3."""
    if hasattr(body, "read"):
        return bytes(body.read())
    return body.encode() if isinstance(body, str) else body or b""


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _service(module: str) -> Any:
    """A module of the emulator, with our changes to it."""
    if "ministack" not in sys.modules:
        _load()
        dynamodb.install(import_module("ministack.services.dynamodb"))
    return import_module(f"ministack.services.{module}")


def changed_and_original() -> tuple[ModuleType, ModuleType]:
    """The emulator's DynamoDB with our changes to it, and another without; each has tables of its own."""
    changed = _service("dynamodb")
    spec = importlib.util.spec_from_file_location("original_dynamodb", changed.__file__)
    assert spec
    assert spec.loader
    original = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(original)
    return changed, original


def ask(dynamodb: ModuleType, operation: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and answer of one of the two, without an SDK."""
    headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
    status, _headers, content = _run(dynamodb, headers, json.dumps(request).encode())
    return status, json.loads(content)


def _load() -> None:
    """The emulator out of the local AWS's environment, and nothing else of what is installed there."""
    python = venvs.ensure(STATE_DIR / "venv", CHECKOUT / "requirements" / "local.txt", silent)
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

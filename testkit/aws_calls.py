"""Watches and disturbs each AWS call that a store in this process makes, through botocore's own event hooks.

Stores get their clients from `lambdas.eventstore.aws.client`; inside `watched()` that function gives clients with
hooks. A logical call is one `client.put_item(…)`, with all the attempts that the SDK makes of it. Calls are counted
only while a `Watch` is `recording`, so that setting up and looking at a store never shifts the count.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from unittest.mock import patch

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.loaders import create_loader

from lambdas.eventstore import aws

Send = Callable[[AWSPreparedRequest], AWSResponse]


@dataclass
class Call:
    """One logical call. `number` counts from 0 within its recording."""

    number: int
    service: str
    operation: str
    parameters: dict[str, Any]
    attempts: int = 0
    answer: dict[str, Any] = field(default_factory=dict)


def answer(request: AWSPreparedRequest, status: int, headers: Mapping[str, str], content: bytes) -> AWSResponse:
    """An answer that did not come over HTTP."""
    made = AWSResponse(request.url, status, HTTPHeaders.from_dict(headers), BytesIO(content))
    setattr(made, "_content", content)  # noqa: B010  # where botocore keeps what it has read of a body
    return made


class Disturbance:
    """What is done to calls; every method may be overridden, and by default changes nothing."""

    def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        """Raise, or give an answer of its own, instead of letting the attempt go out. `send` really sends it."""

    def after_answer(self, call: Call) -> None:
        """Change `call.answer`, the parsed answer of the call that was made."""


class Watch:
    """The calls of all clients made inside `watched()`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recordings: list[tuple[list[Call], Disturbance]] = []
        self._current = threading.local()
        self._clients: dict[tuple[str, int, str | None], Any] = {}
        self._sessions: dict[str | None, Any] = {}

    @contextmanager
    def recording(self, disturbance: Disturbance | None = None) -> Iterator[list[Call]]:
        """Collects the calls made from here to the end of the block, by any thread, and disturbs them."""
        calls: list[Call] = []
        recording = (calls, disturbance or Disturbance())
        self._recordings.append(recording)
        try:
            yield calls
        finally:
            self._recordings.remove(recording)
            if disturbance:
                self._clients.clear()  # what the SDK learned from the disturbance, its retry quota above all

    def client(self, service: str, config: Any = aws._CONFIG) -> Any:
        """A client with hooks; the same one for the same caller, since making one costs more than many calls."""
        key = service, id(config), os.environ.get("AWS_ACCESS_KEY_ID")
        if key not in self._clients:
            self._clients[key] = self._new_client(service, config)
        return self._clients[key]

    def _new_client(self, service: str, config: Any) -> Any:
        client = self._session().create_client(service, config=config)
        send = client._endpoint.http_session.send
        events = client.meta.events
        events.register("before-parameter-build.*.*", self._begin)
        events.register("before-send.*.*", lambda request, **_: self._before_sending(request, send))
        events.register("after-call.*.*", self._end)
        return client

    def _session(self) -> Any:
        """One for the same caller, whose credentials it keeps."""
        key = os.environ.get("AWS_ACCESS_KEY_ID")
        if key not in self._sessions:
            self._sessions[key] = botocore.session.get_session()
            self._sessions[key].register_component("data_loader", _LOADER)
        return self._sessions[key]

    def _begin(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        if service == "dynamodb" and "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "INDEXES"
        self._current.calls = []
        with self._lock:
            for calls, disturbance in self._recordings:
                call = Call(len(calls), service, model.name, params)
                calls.append(call)
                self._current.calls.append((call, disturbance))

    def _before_sending(self, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        answered = None
        for call, disturbance in self._current.calls:
            call.attempts += 1
            answered = answered or disturbance.before_sending(call, request, send)
        return answered

    def _end(self, parsed: dict[str, Any], **_: Any) -> None:
        for call, disturbance in self._current.calls:
            call.answer = parsed
            disturbance.after_answer(call)


@contextmanager
def watched() -> Iterator[Watch]:
    """A watch over the clients of all stores that are opened inside the block. SDK retries do not wait in there."""
    watch = Watch()
    with (
        patch.object(aws, "client", watch.client),
        patch("botocore.retries.standard.ExponentialBackoff.delay_amount", return_value=0),
    ):
        yield watch


_LOADER = create_loader()
"""Shared by all sessions, because it caches the descriptions of services."""

"""Watches and disturbs each AWS call that a store in this process makes, through botocore's own event hooks.

Stores get their clients from `lambdas.eventstore.aws.client`; inside `watched()` that function gives clients with
hooks. A logical call is one `client.put_item(…)`, with all the attempts that the SDK makes of it. Calls are counted
only while a `Watch` is `recording`, so that setting up and looking at a store never shifts the count.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from unittest.mock import patch

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.loaders import create_loader
from botocore.retries import quota
from botocore.retries.quota import RetryQuota

from lambdas.eventstore import aws
from testkit import clients

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
        self._lent: dict[_Key, _Lent] = {}

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
                for lent in self._lent.values():
                    lent.forget()

    def client(self, service: str, config: Any = aws._CONFIG) -> Any:
        """A client with hooks; the same one for the same caller."""
        key = service, repr(config._user_provided_options), clients.caller()
        if key not in self._lent:
            idle = _idle[key]
            self._lent[key] = idle.pop() if idle else _Lent(service, config)
            self._lent[key].watch = self
        return self._lent[key].client

    def close(self) -> None:
        """Gives the clients back."""
        for key, lent in self._lent.items():
            lent.forget()
            _idle[key].append(lent)
        self._lent.clear()

    def begin(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        if service == "dynamodb" and "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "INDEXES"
        self._current.calls = []
        with self._lock:
            for calls, disturbance in self._recordings:
                call = Call(len(calls), service, model.name, params)
                calls.append(call)
                self._current.calls.append((call, disturbance))

    def before_sending(self, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        answered = None
        for call, disturbance in self._current.calls:
            call.attempts += 1
            answered = answered or disturbance.before_sending(call, request, send)
        return answered

    def end(self, parsed: dict[str, Any], **_: Any) -> None:
        for call, disturbance in self._current.calls:
            call.answer = parsed
            disturbance.after_answer(call)


class _Lent:
    """A client, whose hooks tell the watch that has it."""

    watch: Watch

    def __init__(self, service: str, config: Any) -> None:
        self._quotas: list[RetryQuota] = []
        with patch.object(quota, "RetryQuota", self._new_quota):
            self.client = _new_client(service, config)
        send, events = self.client._endpoint.http_session.send, self.client.meta.events
        events.register("before-parameter-build.*.*", lambda **about: self.watch.begin(**about))
        events.register("before-send.*.*", lambda request, **_: self.watch.before_sending(request, send))
        events.register("after-call.*.*", lambda **about: self.watch.end(**about))

    def forget(self) -> None:
        """What the SDK has learned from a disturbance: that it has retried much."""
        for each in self._quotas:
            each.release(each.INITIAL_CAPACITY)

    def _new_quota(self) -> RetryQuota:
        self._quotas.append(RetryQuota())
        return self._quotas[-1]


def _new_client(service: str, config: Any) -> Any:
    session = botocore.session.get_session()
    session.register_component("data_loader", _LOADER)
    return session.create_client(service, config=config)


@contextmanager
def watched() -> Iterator[Watch]:
    """A watch over the clients of all stores that are opened inside the block. SDK retries do not wait in there."""
    watch = Watch()
    with (
        patch.object(aws, "client", watch.client),
        patch("botocore.retries.standard.ExponentialBackoff.delay_amount", return_value=0),
        closing(watch),
    ):
        yield watch


_LOADER = create_loader()
"""Shared by all clients, because it caches the descriptions of services."""

_Key = tuple[str, str, clients.Caller]

_idle: dict[_Key, list[_Lent]] = defaultdict(list)
"""Clients that no watch has now. Making one costs more than many calls."""

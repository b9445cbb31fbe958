"""Faults for one AWS call of an operation: the call never leaves, its answer is lost, the process dies around it.

`number` is the call's place among the calls of the operation, so that a test can enumerate: it raises the number until
`struck` stays false, and has then put the fault at every place there is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from testkit.aws_calls import Call, Disturbance, Send, answer


class Crash(BaseException):
    """The process dies here. No `except Exception` outlives a real crash, so none may catch this one."""


class Fault(Disturbance):
    """Strikes the call with this number."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.struck = False

    def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        if call.number != self.number:
            return None
        self.struck = True
        return self.strike(call, request, send)

    def strike(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        raise NotImplementedError


class Unreachable(Fault):
    """No attempt is sent."""

    def strike(self, call: Call, request: AWSPreparedRequest, send: Send) -> None:
        raise EndpointConnectionError(endpoint_url=request.url)


class UnreachableOnce(Fault):
    """The first attempt is not sent; the SDK sends another."""

    def strike(self, call: Call, request: AWSPreparedRequest, send: Send) -> None:
        if call.attempts == 1:
            raise EndpointConnectionError(endpoint_url=request.url)


class AnswerLostOnce(Fault):
    """The first attempt takes effect and its answer is lost; the SDK sends another."""

    def strike(self, call: Call, request: AWSPreparedRequest, send: Send) -> None:
        if call.attempts == 1:
            send(request)
            raise ConnectionClosedError(endpoint_url=request.url)


class AnswerLost(Fault):
    """The first attempt takes effect, its answer is lost, and no further one gets through."""

    def strike(self, call: Call, request: AWSPreparedRequest, send: Send) -> None:
        if call.attempts == 1:
            send(request)
        raise ConnectionClosedError(endpoint_url=request.url)


class EveryAnswerLost(Fault):
    """Every attempt takes effect, and every answer is lost."""

    def strike(self, call: Call, request: AWSPreparedRequest, send: Send) -> None:
        send(request)
        raise ConnectionClosedError(endpoint_url=request.url)


class CrashBefore(Fault):
    """The process dies before the call."""

    def strike(self, call: Call, request: AWSPreparedRequest, send: Send) -> None:
        raise Crash


class CrashAfter(Fault):
    """The process dies after the call took effect."""

    def strike(self, call: Call, request: AWSPreparedRequest, send: Send) -> None:
        send(request)
        raise Crash


ENUMERATED: Sequence[type[Fault]] = (
    Unreachable,
    UnreachableOnce,
    AnswerLostOnce,
    AnswerLost,
    EveryAnswerLost,
    CrashBefore,
    CrashAfter,
)


class Refused(Fault):
    """AWS answers with an error and does nothing: to the first attempt of one call, or to all that comes from it on."""

    def __init__(self, number: int, code: str, *, for_ever: bool = False, status: int = 400, **details: Any) -> None:
        super().__init__(number)
        self._code, self._for_ever, self._status, self._details = code, for_ever, status, details

    def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        strikes = call.number >= self.number if self._for_ever else (call.number, call.attempts) == (self.number, 1)
        if not strikes:
            return None
        self.struck = True
        return error_answer(request, self._code, self._status, **self._details)


def error_answer(request: AWSPreparedRequest, code: str, status: int = 400, **details: Any) -> AWSResponse:
    """An answer as DynamoDB and the other JSON services word an error."""
    content = json.dumps({"__type": code, "message": f"{code}, forced by a test", **details}).encode()
    return answer(request, status, {"x-amzn-errortype": code}, content)

"""An invocation that waits for a silent service ends in an exception with a message, and never in Lambda's kill."""

from __future__ import annotations

import gc
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from lambdas.eventstore import aws
from lambdas.eventstore.retry import OutOfTime, invocation


@pytest.fixture(autouse=True)
def no_garbage_collection() -> Iterator[None]:
    """Hypothesis is called back by it, and pytest takes an alarm that goes off in there for an error of the test."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An AWS that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        for name, value in (("ENDPOINT_URL", address), ("REGION", "us-east-1"), ("DEFAULT_REGION", "us-east-1")):
            monkeypatch.setenv(f"AWS_{name}", value)
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
            monkeypatch.setenv(f"AWS_{name}", "test")
        yield address


def ask(service: str, operation: str, **parameters: object) -> Callable[[], object]:
    return lambda: getattr(aws.client(service), operation)(**parameters)


def compute() -> None:
    while True:
        pass


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(ask("dynamodb", "get_item", TableName="t", Key={"a": {"S": "a"}}), id="DynamoDB"),
        pytest.param(ask("sqs", "send_message", QueueUrl="https://example.com/q", MessageBody="m"), id="SQS"),
        pytest.param(lambda: time.sleep(60), id="a pause"),
        pytest.param(compute, id="computing"),
    ],
)
def test_it_ends_in_time_whatever_it_waits_for(silent: str, work: Callable[[], object]) -> None:
    began = time.monotonic()

    with pytest.raises(OutOfTime, match="same requestId"), invocation(0.4):
        work()

    assert time.monotonic() - began < 10, "or else the SDK's own time-outs have ended it"


def test_the_alarm_is_off_when_the_invocation_is_over() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with invocation(0.05):
        pass
    time.sleep(0.1)
    assert signal.getsignal(signal.SIGALRM) is before


def test_an_alarm_that_python_drops_is_followed_by_another() -> None:
    class Dropping:
        def __del__(self) -> None:
            with suppress(BaseException):  # as Python does with what leaves a __del__
                time.sleep(60)

    def work() -> None:
        Dropping()
        time.sleep(60)

    with pytest.raises(OutOfTime), invocation(0.05):
        work()


def test_another_failure_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), invocation(10):
        raise ZeroDivisionError
    assert signal.setitimer(signal.ITIMER_REAL, 0)[0] == 0


def test_no_time_left_is_over_at_once() -> None:
    with pytest.raises(OutOfTime), invocation(-1):
        time.sleep(60)


def test_in_another_thread_it_changes_nothing() -> None:
    done: list[bool] = []

    def work() -> None:
        with invocation(0.01):
            time.sleep(0.05)
        done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done

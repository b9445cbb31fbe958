"""A request that is sent twice at once is stored once, and no attempt of it is refused because of the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from testkit.aws_calls import Call, Disturbance, Send
from testkit.examples import event, history, new_id
from testkit.trials import Trial, Trials, ids_of, numbers


class Meanwhile(Disturbance):
    """Does something just before the call of this number is sent."""

    def __init__(self, number: int, work: Callable[[], object]) -> None:
        self._number, self._work = number, work
        self.struck = False

    def before_sending(self, call: Call, request: AWSPreparedRequest, send: Send) -> AWSResponse | None:
        if call.number == self._number and not self.struck:
            self.struck = True
            self._work()
        return None


@pytest.mark.parametrize("versions", [[3], [3, 4]], ids=["one event", "two events"])
def test_an_attempt_is_not_refused_for_what_another_attempt_of_the_same_request_has_stored(
    trial: Trials, versions: list[int]
) -> None:
    """The slow attempt may see that version 2 is missing; then it is stored, and the quick attempt stores all."""
    for number in numbers():
        with trial() as on:
            aggregate = new_id()
            on.open().store(event(aggregate, 1))
            request = [event(aggregate, version, n=version) for version in versions]
            if not overtaken(on, number, aggregate, request):
                break
    assert number > 0, "the append made no AWS call"


def overtaken(on: Trial, number: int, aggregate: str, request: list[dict[str, object]]) -> bool:
    """Whether the slow attempt made a call of this number, before which the quick one could come."""
    quick: list[dict[str, object]] = []

    def overtake() -> None:
        on.open().store(*history(aggregate, 1, first=2))
        quick.extend(on.open().store(*request, request_id="the request"))

    meanwhile = Meanwhile(number, overtake)
    with on.watch.recording(meanwhile):
        slow = on.open().try_to_store(*request, request_id="the request")
    if meanwhile.struck:
        assert "events" in slow, f"refused, and stored: {slow}"
        assert ids_of(slow["events"]) == ids_of(quick)
    on.assert_sound()
    return meanwhile.struck

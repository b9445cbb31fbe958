"""What somebody has put into the events table, or claims to be there, holds up its own aggregate and nothing else."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.eventstore import ksuids
from lambdas.eventstore.dynamodb.paged_log import PAGE_BYTES
from lambdas.eventstore.retry import Retries, time_limit
from lambdas.eventstore.sequencing import doorbells
from lambdas.eventstore.sequencing.sequencer import Sequencer
from tests.sequencer.model import Call, Fault
from tests.sequencer.world import SECONDS, ModelQueue, ModelWorld


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "")


NUMBERS = st.one_of(st.integers(-(10**38), 10**38).map(str), st.floats(allow_nan=False, allow_infinity=False).map(repr))
TEXTS = st.one_of(st.text(max_size=20), st.text(min_size=120, max_size=140), st.integers(1, 2048).map("x".__mul__))
KEYS = st.fixed_dictionaries(
    {
        "aggregateId": st.fixed_dictionaries({"S": TEXTS.filter(bool)}),
        "aggregateVersion": st.fixed_dictionaries({"N": NUMBERS}),
    }
)
JSON = st.one_of(
    st.fixed_dictionaries({"aggregateId": st.one_of(TEXTS, st.none()), "aggregateVersion": st.integers(-2, 2**60)}),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
        max_leaves=10,
    ),
)
ATTRIBUTES = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"S": st.text(max_size=30)}),
        st.fixed_dictionaries({"N": st.one_of(NUMBERS, st.just("1e400"), st.just("NaN"))}),
        st.just({"NULL": True}),
        st.just({"BOOL": False}),
        st.just({"B": b"\x00"}),
        st.just({"SS": ["a"]}),
        st.just({"S": "\ud800"}),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"M": st.dictionaries(st.text(max_size=5), inner, max_size=3)}),
    ),
    max_leaves=6,
)

NOT_EVENTS: dict[str, dict[str, Any]] = {
    "no metadata": {"metadata": {"NULL": True}, "eventType": {"NULL": True}},
    "metadata that are a set": {"metadata": {"M": {"tags": {"SS": ["a"]}}}},
    "a version that is text": {"eventVersion": {"S": "one"}},
    "metadata that are text": {"metadata": {"S": "text"}},
    "a number that no JSON holds": {"metadata": {"M": {"amount": {"N": "1e400"}}}},
    "a lone surrogate": {"metadata": {"M": {"text": {"S": "\ud800"}}}},
    "an id that is none": {"eventId": {"S": "x"}},
    "more than a page holds": {"metadata": {"M": {"text": {"S": "x" * PAGE_BYTES}}}},
}


@pytest.mark.parametrize("attributes", NOT_EVENTS.values(), ids=NOT_EVENTS)
def test_an_item_that_is_no_event_holds_up_its_own_aggregate_only(
    world: ModelWorld, attributes: dict[str, Any]
) -> None:
    world.store(("josh", 1), ("ann", 1))
    world.store(("ann", 2), **attributes)
    world.store(("ann", 3), ("josh", 2))

    assert world.sequence({"ann": 3, "josh": 2}) == {"ann": 3}

    world.assert_sound()
    assert [(aggregate, version) for aggregate, version, _ in world.logged()] == [("josh", 1), ("ann", 1), ("josh", 2)]


def test_an_event_that_is_mended_is_sequenced_with_all_behind_it(world: ModelWorld) -> None:
    world.store(("ann", 1))
    world.store(("ann", 2), eventType={"NULL": True})
    world.store(("ann", 3))
    assert world.sequence({"ann": 3}) == {"ann": 3}

    world.store(("ann", 2))

    assert not world.sequence({"ann": 3})
    world.assert_complete()


@pytest.mark.parametrize("version", [3, 10**6, 10**30])
def test_a_doorbell_for_events_that_do_not_exist_is_answered_with(world: ModelWorld, version: int) -> None:
    world.store(("ann", 1), ("ann", 2), *(("josh", n) for n in range(1, 121)))

    assert world.sequence({"ann": version, "bob": 1, "josh": 120}) == {"ann": version, "bob": 1}

    world.assert_complete()


def test_many_doorbells_that_cannot_be_met_hold_up_nothing(world: ModelWorld) -> None:
    world.store(("josh", 1))
    false = {f"nobody {n}": 1000 for n in range(150)}

    calls = Fault(lambda call: call(), number=0)

    world.around = calls
    assert world.sequence({**false, "josh": 1}) == false

    world.assert_complete()
    assert calls.calls < 60, "patience has a bound"


def test_an_event_that_was_waited_for_in_vain_is_not_waited_for_again(world: ModelWorld) -> None:
    """Or an aggregate with a hole and steady traffic would slow the others down for ever."""
    world.store(("ann", 1), ("ann", 3), ("josh", 1))
    with time_limit(SECONDS):
        running = Sequencer(world.open_events(), world.open_log())
        assert running.sequence({"ann": 3, "josh": 1}).unmet == {"ann": 3}
        world.store(("ann", 4), ("josh", 2))
        with patch.object(Retries, "pause") as waiting:
            assert running.sequence({"ann": 4, "josh": 2}).unmet == {"ann": 4}
        assert not waiting.called
        world.store(("ann", 2))
        assert not running.sequence({"ann": 4}).unmet
    world.assert_complete()


def test_an_item_that_is_no_event_is_not_waited_for(world: ModelWorld) -> None:
    world.store(("ann", 1), eventVersion={"S": "one"})
    with patch.object(Retries, "pause") as waiting:
        assert world.sequence({"ann": 1}) == {"ann": 1}
    assert not waiting.called


class Bug(Exception):
    """Whatever nobody has thought of."""


@pytest.mark.parametrize("failure", [Bug(), RecursionError(), client_error("ValidationException")])
def test_a_doorbell_that_fails_for_any_reason_but_aws_fails_alone(world: ModelWorld, failure: Exception) -> None:
    world.store(("ann", 1), ("eve", 1), ("josh", 1), ("josh", 2))

    def fail(operation: str, call: Call) -> Any:
        answer = call()
        if "'eve'" in str((answer or {}).get("Responses", {}).get(world.events)):
            raise failure
        return answer

    world.around = fail
    assert world.sequence({"ann": 1, "eve": 1, "josh": 2}) == {"eve": 1}
    assert len(world.logged()) == 3


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError", "AccessDeniedException"])
def test_what_aws_refuses_for_now_is_raised_and_nothing_is_given_up(world: ModelWorld, code: str) -> None:
    world.store(("ann", 1))

    def fail(operation: str, call: Call) -> Any:
        raise client_error(code)

    world.around = fail
    with pytest.raises(ClientError, match=code):
        world.sequence({"ann": 1})


@given(key=KEYS)
def test_a_key_that_no_event_can_have_is_told_apart_and_its_neighbours_are_heard(key: dict[str, Any]) -> None:
    neighbours = [{"aggregateId": {"S": name}, "aggregateVersion": {"N": "1"}} for name in ("ann", "josh")]
    heard = doorbells.from_stream([{"dynamodb": {"Keys": it}} for it in (neighbours[0], key, neighbours[1])])
    assert len(heard.doorbells) + len(heard.others) in (2, 3)
    assert {"ann", "josh"} <= heard.doorbells.keys()
    for aggregate, version in heard.doorbells.items():
        assert len(f"aggregate#{aggregate}".encode()) <= 2048
        assert 1 <= version < 2**53


@pytest.mark.parametrize("size", range(2039, 2049))
def test_an_id_whose_mark_would_be_too_long_is_no_doorbell(size: int) -> None:
    keys = {"aggregateId": {"S": "x" * size}, "aggregateVersion": {"N": "1"}}
    heard = doorbells.from_stream([{"dynamodb": {"Keys": keys}}])
    assert not heard.doorbells
    [other] = heard.others
    assert other.startswith("{'aggregateId': {'S': 'xxx")


@pytest.mark.parametrize("version", ["0", "-1", "1.5", "1e30", "-1.5e30", "9007199254740992", "9.9E+125", "1E-130"])
def test_a_version_that_no_event_can_have_is_no_doorbell(version: str) -> None:
    keys = {"aggregateId": {"S": "ann"}, "aggregateVersion": {"N": version}}
    heard = doorbells.from_stream([{"dynamodb": {"Keys": keys}}])
    assert not heard.doorbells
    assert len(heard.others) == 1


HOSTILE_TEXTS = {
    "empty": "",
    "no JSON": "no JSON",
    "an object": '{"a": 1}',
    "a number": "5",
    "not a number": "NaN",
    "deep": "[" * 100_000,
    "deep and whole": "[" * 900 + "]" * 900,
    "deep in a pointer": '[{"aggregateId": ' + "[" * 100_000 + "]" * 100_000 + "}]",
    "a long number": "9" * 5000,
    "an infinite version": '[{"aggregateId": "a", "aggregateVersion": 1e400}]',
    "a version that is not a number": '[{"aggregateId": "a", "aggregateVersion": NaN}]',
    "a version that is text": '[{"aggregateId": "a", "aggregateVersion": "1"}]',
    "a version that is true": '[{"aggregateId": "a", "aggregateVersion": true}]',
    "a version that is not whole": '[{"aggregateId": "a", "aggregateVersion": 1.5}]',
    "no version": '[{"aggregateId": "a"}]',
    "an id that is a number": '[{"aggregateId": 5, "aggregateVersion": 1}]',
    "an empty id": '[{"aggregateId": "", "aggregateVersion": 1}]',
    "a lone surrogate": '[{"aggregateId": "\\ud800", "aggregateVersion": 1}]',
    "a lone surrogate outside": "\ud800",
    "an id without end": f'[{{"aggregateId": "{"x" * 2048}", "aggregateVersion": 1}}]',
    "nothing": "[null]",
}


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_a_text_that_is_no_doorbell_can_be_set_aside(text: str) -> None:
    heard, queue = doorbells.from_text(text), ModelQueue()
    assert not heard.doorbells
    assert len(heard.others) == 1

    queue.open().set_aside({}, heard.others)

    [letter] = queue.open().take()
    assert letter.others == heard.others


@given(pointers=st.lists(JSON, max_size=30))
def test_of_what_a_text_holds_the_doorbells_are_heard_and_the_others_can_be_set_aside(pointers: list[Any]) -> None:
    texts = [json.dumps([it]) for it in pointers]
    apart = [doorbells.from_text(text) for text in texts]
    whole = doorbells.from_text(json.dumps(pointers))
    assert whole.doorbells == doorbells.of(key for heard in apart for key in heard.doorbells.items())
    assert whole.others == [other for heard in apart for other in heard.others]
    queue = ModelQueue()
    queue.open().set_aside(whole.doorbells, whole.others)
    letters = queue.open().take()
    assert [other for letter in letters for other in letter.others] == whole.others
    assert doorbells.of(key for letter in letters for key in letter.doorbells.items()) == whole.doorbells


def test_ten_of_the_largest_others_fit_a_message() -> None:
    heard = doorbells.from_json([{"\U0001f600" * 1000 + str(n): ["\U0001f600" * 1000] * 6 for n in range(6)}] * 20)
    assert len(heard.others) == 20
    ModelQueue().open().set_aside({}, heard.others)


@settings(deadline=None, max_examples=200)
@given(attributes=st.dictionaries(st.sampled_from(["metadata", "eventType", "eventVersion", "eventId"]), ATTRIBUTES))
def test_whatever_an_item_holds_its_neighbours_get_on_and_readers_read_events(attributes: dict[str, Any]) -> None:
    world = ModelWorld()
    world.store(("josh", 1), ("ann", 1))
    world.store(("ann", 2), **attributes)
    world.store(("ann", 3), ("josh", 2))

    unmet = world.sequence({"ann": 3, "josh": 2})

    assert unmet in ({}, {"ann": 3})
    assert {event[:2] for event in world.logged()} >= {("josh", 1), ("ann", 1), ("josh", 2)}
    for event in world.open_log().read(None, 10).events:
        assert isinstance(event.metadata, dict)
        assert ksuids.is_ksuid(event.event_id)

"""What was changed by hand is told, and nothing is built on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.eventstore.dynamodb.paged_log import MissingPage
from lambdas.eventstore.log_first.store import Diverged
from testkit.examples import event, history, new_id
from testkit.harness import Environment
from testkit.subjects import InProcess

Reopened = Callable[[], InProcess]


def test_another_event_in_the_place_of_the_last_one_stops_appends(
    reopened: Reopened, environment: Environment, dynamodb: Any
) -> None:
    aggregate = new_id()
    reopened().store(event(aggregate, 1))
    [item] = dynamodb.scan(TableName=environment["TABLE"])["Items"]
    dynamodb.put_item(TableName=environment["TABLE"], Item={**item, "eventId": {"S": "0" * 27}})

    with pytest.raises(Diverged, match="the table of events has another one"):
        reopened().store(event(new_id(), 1))


def test_an_event_that_was_deleted_is_not_passed_over(
    reopened: Reopened, environment: Environment, dynamodb: Any
) -> None:
    aggregate = new_id()
    for version in (1, 2, 3):
        reopened().store(event(aggregate, version))
    key = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": "1"}}
    dynamodb.delete_item(TableName=environment["TABLE"], Key=key)

    with pytest.raises(Diverged, match="version 1 of aggregate"):
        reopened().aggregate(aggregate)


def test_events_of_the_last_page_that_are_missing_are_put_by_the_next_append(
    reopened: Reopened, environment: Environment, dynamodb: Any
) -> None:
    aggregate = new_id()
    stored = reopened().store(*history(aggregate, 3))
    for version in "123":
        key = {"aggregateId": {"S": aggregate}, "aggregateVersion": {"N": version}}
        dynamodb.delete_item(TableName=environment["TABLE"], Key=key)

    assert reopened().aggregate(aggregate) == stored
    reopened().store(event(new_id(), 1))
    assert reopened().aggregate(aggregate) == stored
    assert len(dynamodb.scan(TableName=environment["TABLE"])["Items"]) == 4


def test_a_page_that_was_deleted_is_not_passed_over(
    reopened: Reopened, environment: Environment, dynamodb: Any
) -> None:
    for _ in range(3):
        reopened().store(event(new_id(), 1))
    key = {"part": {"S": "pages"}, "firstPosition": {"N": "2"}}
    dynamodb.delete_item(TableName=environment["LOG_TABLE"], Key=key)

    with pytest.raises(MissingPage, match="no event at position 2"):
        reopened().tail(None)

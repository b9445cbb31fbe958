"""The accounts sample on every pattern: concurrent clients, commands that are repeated, Lambdas that crash and repeat.

At the end money is conserved, and each read model equals a fold over the events.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from examples.accounts.account import Account
from examples.accounts.commands import Commands
from examples.accounts.projections import PROJECTIONS
from examples.accounts.snapshots import SnapshotTable
from lambdas.eventstore import StoredEvent, aws
from lambdas.eventstore.retry import time_limit
from lambdas.projections import ReadModel
from lambdas.projections.rebuild import rebuild
from testkit import faults
from testkit.aws_calls import Watch
from testkit.capacity import cost
from testkit.examples import event, new_id
from testkit.projections import World, all_events, read_model
from testkit.trials import FAILURES, disturbed
from tests.projections.test_accounts import System, entries, folded_totals, statement, totals

ACCOUNTS = 6
OPENING = 1_000
CLIENTS = 3
COMMANDS = 30
"""Of each client."""


@pytest.fixture
def models(world: World) -> Iterator[dict[str, ReadModel]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(read_model()) for name in PROJECTIONS}


class Client:
    """Sends commands, repeats those whose answers it did not get, and repeats some that were answered too."""

    def __init__(self, world: World, ids: list[str], number: int) -> None:
        self._world, self._ids, self._draw = world, ids, random.Random(number)
        self.answers: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def run(self) -> None:
        sent = []
        with time_limit(240):
            for _ in range(COMMANDS):
                sent.append(self._any_command())
                self.send(sent[-1])
                if self._draw.random() < 0.3:
                    self.send(self._draw.choice(sent))

    @property
    def brought_in(self) -> int:
        """What the commands that were accepted, by any of their answers, added to all accounts together."""
        accepted = (answers[-1].get("events", []) for answers in self.answers.values())
        return sum(_movement(event) for events in accepted for event in events)

    def send(self, command: dict[str, Any]) -> None:
        """A command that was rejected may be accepted later; one that was accepted never is rejected."""
        while True:
            try:
                answer = Commands(self._world.store()).answer(command)
            except FAILURES:  # the Lambda crashed, at whatever call
                continue
            self.answers[command["commandId"]].append(answer)
            return

    def _any_command(self) -> dict[str, Any]:
        kind = self._draw.choice(["TransferMoney", "TransferMoney", "DepositMoney", "WithdrawMoney"])
        account_id, other = self._draw.sample(self._ids, 2)
        command = {"commandId": new_id(), "command": kind, "accountId": account_id, "amount": self._draw.randint(1, 50)}
        return {**command, "toAccountId": other} if kind == "TransferMoney" else command


def _movement(event: dict[str, Any]) -> int:
    sign = 1 if event["eventType"] == "MONEY_DEPOSITED" else -1
    return sign * int(event["metadata"]["amount"])


def test_money_is_conserved_and_every_read_model_is_a_fold_over_the_events(
    world: World, models: dict[str, ReadModel], watch: Watch
) -> None:
    ids = [new_id() for _ in range(ACCOUNTS)]
    first = Client(world, ids, 0)
    for account_id in ids:
        opening = {"commandId": new_id(), "accountId": account_id}
        first.send({**opening, "command": "CreateAccount", "name": "A", "currency": "EUR"})
        first.send({**opening, "commandId": new_id(), "command": "DepositMoney", "amount": OPENING})
    clients = [Client(world, ids, number) for number in range(1, CLIENTS + 1)]
    crashes = random.Random(15)
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(client.run) for client in clients]
        while not all(it.done() for it in running):
            for name, model in models.items():
                projector = world.runner(model, PROJECTIONS[name]())
                disturbed(watch, faults.CrashAfter(crashes.randrange(15)), projector.run)
        for it in running:
            it.result()
    world.drain()

    events = all_events(world.store())
    folds = {it: Account(it).apply_all(of_it) for it, of_it in _by_account(events).items()}
    assert sum(it.balance for it in folds.values()) == ACCOUNTS * OPENING + sum(it.brought_in for it in clients)
    for name, model in models.items():
        assert world.runner(model, PROJECTIONS[name]()).run().caught_up
    assert rebuild(world.runner(models["statements"], PROJECTIONS["statements"]())).done
    system = System(world.store(), models)
    for account_id in ids:
        assert system.query("balance", accountId=account_id)["balance"] == folds[account_id].balance
        assert statement(system, account_id) == entries(_by_account(events)[account_id])
    assert totals(system) == folded_totals(events, folds)
    assert {it["seconds"] for it in system.query("lag")["projections"]} == {0}
    for client in [first, *clients]:
        for command_id, answers in client.answers.items():
            stored = [it.event_id for it in events if it.metadata["commandId"] == command_id]
            told = [[it["eventId"] for it in answer.get("events", [])] for answer in answers]
            refused = told.count([])
            assert told == [[]] * refused + [stored] * (len(told) - refused), (
                "stored once, and so answered from then on"
            )
            assert stored or refused == len(told)


@pytest.mark.parametrize("events", [40, 400])
def test_a_snapshot_saves_what_it_takes_the_place_of(world: World, watch: Watch, events: int) -> None:
    """The figures in examples/accounts/README.md."""
    account_id, subject = new_id(), world.subject()
    types = ["ACCOUNT_CREATED", *["MONEY_DEPOSITED"] * (events - 1)]
    for first in range(0, events, 40):
        batch = []
        for version, event_type in enumerate(types[first : first + 40], first + 1):
            metadata = {"name": "Josh Armitage", "currency": "EUR", "amount": 1, "commandId": new_id()}
            batch.append({**event(account_id, version, **metadata), "eventType": event_type})
        subject.store(*batch)
    with read_model() as table:
        snapshots = SnapshotTable(aws.client("dynamodb"), table.name, every=events)
        Commands(world.store(), snapshots=snapshots).load(account_id, "")
        read = {}
        for name, option in (("without", None), ("with", snapshots)):
            with watch.recording() as calls:
                account, _ = Commands(world.store(), snapshots=option).load(account_id, new_id())
            assert account.balance == events - 1
            read[name] = sum(len(json.dumps(call.answer, default=str)) for call in calls), cost(calls).read_units
    (bytes_without, units_without), (bytes_with, units_with) = read["without"], read["with"]
    assert bytes_with < bytes_without * {40: 0.5, 400: 0.1}[events]
    if units_without:  # the store is on DynamoDB
        assert units_with == 1.5
        least, most = {40: (3, 4), 400: (25, 28)}[events]
        assert least <= units_without <= most


def _by_account(events: list[StoredEvent]) -> dict[str, list[StoredEvent]]:
    of_account: dict[str, list[StoredEvent]] = defaultdict(list)
    for stored in events:
        of_account[stored.aggregate_id].append(stored)
    return of_account

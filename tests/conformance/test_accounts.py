"""The accounts sample on every pattern: concurrent clients, commands that are repeated, Lambdas that crash and repeat.

At the end money is conserved, and each read model equals a fold over the events.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from examples.accounts.account import Account
from examples.accounts.commands import Commands
from examples.accounts.projections import PROJECTIONS
from examples.accounts.snapshots import SnapshotTable
from lambdas.eventstore import EventStore, StoredEvent, aws
from lambdas.eventstore.memory import MemoryEventStore
from lambdas.eventstore.retry import time_limit
from lambdas.projections import ReadModel, Runner
from lambdas.projections.rebuild import rebuild
from testkit import faults
from testkit.aws_calls import Watch, watched
from testkit.capacity import cost
from testkit.examples import event, new_id
from testkit.faults import Fault
from testkit.projections import World, all_events, read_model
from testkit.trials import FAILURES, disturbed, ids_of, numbers
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

    def __init__(self, open_store: Callable[[], EventStore], ids: list[str], number: int) -> None:
        self._open_store, self._ids, self._draw = open_store, ids, random.Random(number)
        self.answers: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def run(self, commands: int) -> None:
        sent = []
        with time_limit(240):
            for _ in range(commands):
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
                answer = Commands(self._open_store()).answer(command)
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
    run_clients(world.store, world.drain, world.late_seconds, models, watch, ACCOUNTS, COMMANDS)


def test_so_it_is_after_thousands_of_commands(emulated: None) -> None:
    """On the memory store, where they take little time."""
    with watched() as watch, ExitStack() as stack:
        models = {name: stack.enter_context(read_model()) for name in PROJECTIONS}
        store = MemoryEventStore()
        run_clients(lambda: store, lambda: None, 0.0, models, watch, 60, 500)


def run_clients(
    open_store: Callable[[], EventStore],
    drain: Callable[[], None],
    late_seconds: float,
    models: dict[str, ReadModel],
    watch: Watch,
    accounts: int,
    commands: int,
) -> None:
    def projector(name: str) -> Runner:
        """As a new invocation would find it."""
        return Runner(open_store(), models[name], PROJECTIONS[name](), late_seconds=late_seconds)

    ids = [new_id() for _ in range(accounts)]
    first = Client(open_store, ids, 0)
    for account_id in ids:
        opening = {"commandId": new_id(), "accountId": account_id}
        first.send({**opening, "command": "CreateAccount", "name": "A", "currency": "EUR"})
        first.send({**opening, "commandId": new_id(), "command": "DepositMoney", "amount": OPENING})
    clients = [Client(open_store, ids, number) for number in range(1, CLIENTS + 1)]
    crashes = random.Random(15)
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(client.run, commands) for client in clients]
        while not all(it.done() for it in running):
            for name in models:
                disturbed(watch, faults.CrashAfter(crashes.randrange(15)), projector(name).run)
        for it in running:
            it.result()
    drain()

    events = all_events(open_store())
    folds = {it: Account(it).apply_all(of_it) for it, of_it in _by_account(events).items()}
    assert sum(it.balance for it in folds.values()) == accounts * OPENING + sum(it.brought_in for it in clients)
    for name in models:
        assert projector(name).run().caught_up
    assert rebuild(projector("statements")).done
    system = System(open_store(), models)
    for account_id in ids:
        assert system.query("balance", accountId=account_id)["balance"] == folds[account_id].balance
        assert statement(system, account_id) == entries(_by_account(events)[account_id])
    assert totals(system) == folded_totals(events, folds)
    assert {it["seconds"] for it in system.query("lag")["projections"]} == {0}
    stored: dict[str, list[str]] = defaultdict(list)
    for stored_event in events:
        stored[stored_event.metadata["commandId"]].append(stored_event.event_id)
    for client in [first, *clients]:
        for command_id, answers in client.answers.items():
            told = [tuple(it["eventId"] for it in answer.get("events", [])) for answer in answers]
            accepted = told[told.count(()) :]
            assert () not in accepted, "what was accepted is not rejected later"
            assert len(set(accepted)) <= 1, "one answer, however often"
            # The log may have the events of one request in another order, across aggregates.
            assert sorted(stored[command_id]) == sorted(*set(accepted) or [()]), "stored once, and so answered"


@pytest.mark.parametrize("kind", faults.ENUMERATED, ids=lambda kind: kind.__name__)
def test_a_transfer_is_stored_once_though_a_fault_strikes_any_call_of_its_lambda(
    world: World, watch: Watch, kind: type[Fault]
) -> None:
    for number in numbers():
        josh, ann = new_id(), new_id()
        bank = Client(world.store, [josh, ann], number)
        for account_id in (josh, ann):
            bank.send({"commandId": new_id(), "command": "CreateAccount", "accountId": account_id} | EUR)
            bank.send({"commandId": new_id(), "command": "DepositMoney", "accountId": account_id, "amount": 9})
        transfer = {"commandId": new_id(), "command": "TransferMoney", "accountId": josh, "toAccountId": ann}
        fault = kind(number)
        told = disturbed(watch, fault, partial(Commands(world.store()).answer, {**transfer, "amount": 4}))
        again = Commands(world.store()).answer({**transfer, "amount": 4})
        assert [it["aggregateVersion"] for it in again["events"]] == [3, 3]
        assert told is None or ids_of(told["events"]) == ids_of(again["events"])
        balances = [Commands(world.store()).load(it, "")[0].balance for it in (josh, ann)]
        assert balances == [5, 13]
        if not fault.struck:
            break
    assert number > 2


EUR = {"name": "A", "currency": "EUR"}


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
    assert bytes_with < bytes_without * {40: 0.6, 400: 0.15}[events]
    if units_without:  # the store is on DynamoDB
        assert units_with in (1.5, 2.5), "a store may read the end of its log besides"
        least, most = {40: (3, 5), 400: (23, 32)}[events]
        assert least <= units_without <= most


def _by_account(events: list[StoredEvent]) -> dict[str, list[StoredEvent]]:
    of_account: dict[str, list[StoredEvent]] = defaultdict(list)
    for stored in events:
        of_account[stored.aggregate_id].append(stored)
    return of_account

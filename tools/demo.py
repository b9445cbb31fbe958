"""`python -m tools.demo PATTERN [--target …]`: the deployed pattern, used as a person would use it.

Opens two accounts, moves money, reads an aggregate back, tails all events from where the log ended before, asks for the
balances, and has a stale writer refused. Each step goes through deployed Lambdas: commands and queries through those
of the accounts sample, where that is deployed. Fails if a step does. A pattern that can do more than the contract shows
that in a `commands/demo.py` of its own.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from examples.accounts.account import Account
from examples.accounts.commands import Commands
from lambdas.eventstore import Append, EventStore, StoredEvent, VersionConflict
from tools import arguments, stores
from tools.console import Failure, run
from tools.output import outputs
from tools.stores import Sample

_VISIBLE_SECONDS = 30.0
"""How long the demo waits for its events to show in the log, where that takes a while."""

_WIDTH = 120
"""Of a log, which has no width of its own. What is printed fits a terminal of 80 columns."""

_SHOWN = {
    "strong": "once it is stored",
    "eventual": "some time after it is stored",
}
"""When an event shows to readers of all events, by `read_all` of the pattern's sheet: what the wait for the log was."""


Answer = Callable[[Any], dict[str, Any]]


def main() -> None:
    patterns, target = arguments.parse("Use deployed patterns as a person would.")
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
    for pattern in patterns:
        with stores.deployed(pattern, target) as store:
            title = f"{pattern.sheet['title']} on {target}"
            demo(store, title, console, _SHOWN[pattern.sheet["guarantees"]["read_all"]], stores.sample(pattern, target))
            if (pattern.folder / "commands/demo.py").exists():
                further = import_module(f"patterns.{pattern.name}.commands.demo")
                further.demo(store, outputs(pattern, target), console)
        where = "" if target == "local" else f" TARGET={target}"
        call = f"make call PATTERN={pattern.name}{where} OPERATION=get_all_events JSON='{{}}'"
        other = "transactions" if pattern.name == "ksuid" else "ksuid"
        console.print("Next:")
        for step in (
            call,
            f'make compare PATTERNS="{pattern.name} {other}"',
            f"read patterns/{pattern.name}/README.md",
        ):
            console.print(f"  {step}", markup=False, soft_wrap=True)


def demo(store: EventStore, title: str, console: Console, shown: str, sample: Sample | None = None) -> None:
    """Run the demo against `store`, telling it on `console`; `shown` says when events show to readers of all.

    Commands and queries go to `sample`; without one, commands are executed in this process, and balances added up.

    Raises:
        Failure: a step did not do what the contract says.
    """
    ann, josh = str(uuid4()), str(uuid4())
    start = _end_of_log(store)
    execute = partial(_execute, sample.command if sample else Commands(store).answer)

    console.print(f"\n[bold]{title}[/bold]\n")
    console.print("[bold]1. Commands in, events out[/bold]")
    created = execute("CreateAccount", josh, name="Josh Armitage", currency="EUR")
    _show(console, created, "open an account for Josh Armitage")
    _show(console, execute("DepositMoney", josh, amount=100_00), "deposit 100.00")
    created = execute("CreateAccount", ann, name="Ann Devreese", currency="EUR")
    _show(console, created, "open an account for Ann Devreese")
    moved = execute("TransferMoney", josh, toAccountId=ann, amount=30_00)
    _show(console, moved, "transfer 30.00 to Ann: two aggregates, one atomic request")

    console.print("\n[bold]2. Josh's account, read back (strongly consistent)[/bold]")
    page = store.get_aggregate_events(josh, 1, 100)
    console.print(_aggregate(page.events))
    _expect([event.aggregate_version for event in page.events] == [1, 2, 3], "Josh's account has versions 1, 2, 3")

    console.print("\n[bold]3. All events in order, from where the log ended before this demo[/bold]")
    tailed, waited = _tail(store, start, {josh: 3, ann: 2})
    console.print(_log(tailed))
    console.print(f"   Waited {waited:.1f} s for them: in this pattern, readers of all events see an event")
    console.print(f"   {shown}.")
    balances = [_balance(it, version, tailed, sample) for it, version in ((josh, 3), (ann, 2))]
    console.print(f"   read model: Josh {balances[0] / 100:.2f}, Ann {balances[1] / 100:.2f}")
    _expect(balances == [70_00, 30_00], "the read model shows 70.00 and 30.00")

    console.print("\n[bold]4. A stale writer is refused[/bold]")
    stale = Account(josh).apply_all(page.events).deposit(5_00)
    _show(console, execute("WithdrawMoney", josh, amount=10_00), "somebody withdraws 10.00 first")
    try:
        store.store_events(Append((stale,)))
    except VersionConflict as conflict:
        console.print_json(json.dumps({"error": conflict.to_wire()}))
    else:
        raise Failure("The stale write was accepted: optimistic concurrency does not hold. Please report this.")
    console.print("\n[green]Done.[/green] Opened, deposited, read back, tailed in order, and a conflict refused.\n")


def _execute(answer: Answer, command: str, account_id: str, **fields: Any) -> list[StoredEvent]:
    answered = answer({"commandId": str(uuid4()), "command": command, "accountId": account_id, **fields})
    _expect("events" in answered, f"{command} is accepted: {answered}")
    return [StoredEvent.from_wire(event) for event in answered["events"]]


def _balance(account_id: str, version: int, tailed: Sequence[StoredEvent], sample: Sample | None) -> int:
    if not sample:
        return Account(account_id).apply_all(it for it in tailed if it.aggregate_id == account_id).balance
    answer = sample.query({"query": "balance", "accountId": account_id, "atLeast": version})
    _expect("balance" in answer, f"the read model has version {version} of {account_id}: {answer}")
    return int(answer["balance"])


def _end_of_log(store: EventStore) -> str | None:
    offset, more = None, True
    while more:
        page = store.get_all_events(offset, 1000)
        offset, more = page.next, page.has_more
    return offset


def _tail(store: EventStore, after: str | None, wanted: dict[str, int]) -> tuple[list[StoredEvent], float]:
    """The events of the `wanted` aggregates up to their versions, in global order, and how long they took to show."""
    started = time.monotonic()
    seen: list[StoredEvent] = []
    while len(seen) < sum(wanted.values()):
        if time.monotonic() - started > _VISIBLE_SECONDS:
            raise Failure(f"After {_VISIBLE_SECONDS:.0f} s only {len(seen)} of the demo's events are in the log.")
        page = store.get_all_events(after, 100)
        after = page.next
        seen += [event for event in page.events if event.aggregate_id in wanted]
        if not page.events:
            time.sleep(0.1)
    return seen, time.monotonic() - started


def _show(console: Console, events: Sequence[StoredEvent], what: str) -> None:
    stored = ", ".join(f"{event.event_type} v{event.aggregate_version}" for event in events)
    console.print(f"   {what}\n      → {stored}")


def _aggregate(events: Sequence[StoredEvent]) -> Table:
    return _table(
        ("version", "type", "metadata"),
        [(str(event.aggregate_version), event.event_type, _json(_shown_of(event))) for event in events],
    )


def _log(events: Sequence[StoredEvent]) -> Table:
    return _table(
        ("offset", "aggregate", "version", "type"),
        [
            (event.offset or "", f"{event.aggregate_id[:8]}…", str(event.aggregate_version), event.event_type)
            for event in events
        ],
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 1), header_style="dim")
    for column in columns:
        # On a terminal that is narrower still, lines are folded: nothing is cut.
        table.add_column(column, justify="right" if column == "version" else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _shown_of(event: StoredEvent) -> dict[str, Any]:
    """Without what a caller sees of its own."""
    return {name: value for name, value in event.metadata.items() if name != "commandId"}


def _json(metadata: object) -> str:
    return json.dumps(metadata, ensure_ascii=False)


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise Failure(f"The store does not show that {what}. Please report this.")


if __name__ == "__main__":
    run(main)

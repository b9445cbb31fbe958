"""The sample domain: its rules, its commands under retries, and what its read model admits."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.accounts.account import Account, Rejected
from examples.accounts.balances import Balances, MissedEvent
from examples.accounts.commands import Accounts
from lambdas.eventstore import Append, NewEvent, StoredEvent, VersionConflict
from lambdas.eventstore.memory import MemoryEventStore
from testkit.examples import new_id


class OvertakingStore(MemoryEventStore):
    """Another writer deposits 1 into "josh" just before each of the next `times` requests is stored."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        if self.times and "josh" in append.expected and append.expected["josh"]:
            self.times -= 1
            version = self.get_aggregate_events("josh", 1, 1000).events[-1].aggregate_version
            super().store_events(Append((NewEvent("josh", version + 1, "MONEY_DEPOSITED", 1, {"amount": 1}),)))
        return super().store_events(append)


def test_an_account_is_what_its_events_say() -> None:
    accounts = Accounts(MemoryEventStore())
    accounts.open(new_id(), "josh", "Josh Armitage")
    accounts.deposit(new_id(), "josh", 100)
    accounts.withdraw(new_id(), "josh", 30)
    assert accounts.load("josh") == Account("josh", version=3, name="Josh Armitage", balance=70)


def test_an_event_of_an_unknown_type_counts_and_changes_nothing_else() -> None:
    account = Account("josh", 1, "Josh", 5).apply(NewEvent("josh", 2, "STATEMENT_SENT", 1, {}))
    assert account == Account("josh", 2, "Josh", 5)


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_is_positive(amount: int) -> None:
    with pytest.raises(Rejected, match="positive"):
        Account("josh", 1).deposit(amount)


def test_an_account_is_opened_once_and_before_it_is_used() -> None:
    accounts = Accounts(MemoryEventStore())
    with pytest.raises(Rejected, match="does not exist"):
        accounts.deposit(new_id(), "josh", 1)
    accounts.open(new_id(), "josh", "Josh")
    with pytest.raises(Rejected, match="exists already"):
        accounts.open(new_id(), "josh", "Josh")


class LosingAnswers(MemoryEventStore):
    """Stores what it is asked to, and loses the answer."""

    def store_events(self, append: Append) -> Sequence[StoredEvent]:
        super().store_events(append)
        raise ConnectionError


@pytest.mark.parametrize("command", ["deposit", "transfer"])
def test_a_command_whose_answer_was_lost_is_applied_once_however_much_later_it_is_repeated(command: str) -> None:
    store = LosingAnswers()
    accounts, others = Accounts(store), Accounts(store)
    events = (
        NewEvent("josh", 1, "ACCOUNT_CREATED", 1, {"name": "J"}),
        NewEvent("josh", 2, "MONEY_DEPOSITED", 1, {"amount": 9}),
    )
    MemoryEventStore.store_events(store, Append((*events, NewEvent("ann", 1, "ACCOUNT_CREATED", 1, {"name": "A"}))))

    def run(by: Accounts, command_id: str) -> Sequence[StoredEvent]:
        if command == "deposit":
            return by.deposit(command_id, "josh", 5)
        return by.transfer(command_id, "josh", "ann", 3)

    for command_id in ("mine", "another's"):
        with pytest.raises(ConnectionError):
            run(accounts if command_id == "mine" else others, command_id)
    total, josh = len(store.get_all_events(None, 100).events), accounts.load("josh")

    repeated = run(accounts, "mine")

    assert {event.metadata["commandId"] for event in repeated} == {"mine"}
    assert [event.aggregate_version for event in repeated] == ([3] if command == "deposit" else [3, 2])
    assert (len(store.get_all_events(None, 100).events), accounts.load("josh")) == (total, josh)


def test_a_transfer_without_cover_moves_nothing() -> None:
    store = MemoryEventStore()
    accounts = Accounts(store)
    accounts.open(new_id(), "josh", "Josh")
    accounts.open(new_id(), "ann", "Ann")
    with pytest.raises(Rejected, match="does not cover"):
        accounts.transfer(new_id(), "josh", "ann", 1)
    assert len(store.get_all_events(None, 100).events) == 2


def test_a_command_that_was_overtaken_decides_again() -> None:
    accounts = Accounts(OvertakingStore(times=2))
    accounts.open(new_id(), "josh", "Josh")
    accounts.deposit(new_id(), "josh", 100)
    assert accounts.load("josh").balance == 102


def test_a_command_that_is_always_overtaken_gives_up_and_says_why() -> None:
    accounts = Accounts(OvertakingStore(times=99), attempts=3)
    accounts.open(new_id(), "josh", "Josh")
    with pytest.raises(VersionConflict):
        accounts.deposit(new_id(), "josh", 100)


@given(transfers=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(1, 150)), max_size=12))
def test_transfers_move_money_and_make_none(transfers: list[tuple[str, str, int]]) -> None:
    store = MemoryEventStore()
    accounts, balances = Accounts(store), Balances()
    for name in "abc":
        accounts.open(new_id(), name, name)
        accounts.deposit(new_id(), name, 100)
    for source, target, amount in transfers:
        if source != target and accounts.load(source).balance >= amount:
            accounts.transfer(new_id(), source, target, amount)
    balances.catch_up(store)
    assert sum(balances.as_dict().values()) == 300
    assert balances.as_dict() == {name: accounts.load(name).balance for name in "abc"}


def test_the_read_model_goes_on_from_its_checkpoint() -> None:
    store = MemoryEventStore()
    accounts, balances = Accounts(store), Balances()
    accounts.open(new_id(), "josh", "Josh")
    assert balances.catch_up(store) == 1
    accounts.deposit(new_id(), "josh", 5)
    assert (balances.catch_up(store), balances["josh"]) == (1, 5)
    assert balances.catch_up(store) == 0


def test_the_read_model_drops_what_it_has_applied_and_refuses_a_gap() -> None:
    store = MemoryEventStore()
    accounts, balances = Accounts(store), Balances()
    accounts.open(new_id(), "josh", "Josh")
    accounts.deposit(new_id(), "josh", 5)
    accounts.deposit(new_id(), "josh", 6)
    first, second, third = store.get_all_events(None, 10).events
    assert balances.apply([first, first]) == 1
    with pytest.raises(MissedEvent, match="version 3 after 1"):
        balances.apply([third])
    assert balances.apply([second, third]) == 2

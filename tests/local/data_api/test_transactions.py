"""Transactions that live between calls, and calls that wait for one another."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.local.conftest import client
from tests.local.data_api.conftest import Database, control

NOT_FOUND = "TransactionNotFoundException"


def test_a_transaction_is_seen_by_itself_alone_until_it_commits(database: Database, table: str) -> None:
    transaction = database.begin()
    database.execute(f"INSERT INTO {table} VALUES (1)", transactionId=transaction)
    assert database.rows(f"SELECT id FROM {table}", transactionId=transaction) == [[1]]
    assert database.rows(f"SELECT id FROM {table}") == []
    assert database.commit(transaction)["transactionStatus"] == "Transaction Committed"
    assert database.rows(f"SELECT id FROM {table}") == [[1]]


def test_a_rolled_back_transaction_leaves_nothing(database: Database, table: str) -> None:
    transaction = database.begin()
    database.execute(f"INSERT INTO {table} VALUES (1)", transactionId=transaction)
    assert database.roll_back(transaction)["transactionStatus"] == "Rollback Complete"
    assert database.rows(f"SELECT id FROM {table}") == []


def test_a_transaction_that_ended_is_not_found(database: Database) -> None:
    transaction = database.begin()
    database.commit(transaction)
    for call in (database.commit, database.roll_back):
        assert database.refused(call, transaction)[0] == NOT_FOUND
    code, message = database.refused(database.execute, "SELECT 1", transactionId=transaction)
    assert (code, message) == (NOT_FOUND, f"Transaction {transaction} is not found")


def test_a_transaction_belongs_to_its_cluster(database: Database, new_database: Database) -> None:
    transaction = database.begin()
    code, _ = database.refused(new_database.execute, "SELECT 1", transactionId=transaction)
    assert code == NOT_FOUND
    database.roll_back(transaction)


def test_a_transaction_keeps_to_its_database(database: Database) -> None:
    transaction = database.begin()
    code, _ = database.refused(database.execute, "SELECT 1", transactionId=transaction, database="postgres")
    assert code == "BadRequestException"
    assert database.rows("SELECT 1", transactionId=transaction) == [[1]]
    database.roll_back(transaction)


def test_after_an_error_a_transaction_can_go_on_from_a_savepoint(database: Database, table: str) -> None:
    transaction = database.begin()

    def run(sql: str) -> None:
        database.execute(sql, transactionId=transaction)

    run("SAVEPOINT here")
    database.refused(run, "SELECT 1/0")
    assert database.refused(run, "SELECT 1")[1].endswith("SQLState: 25P02")
    run("ROLLBACK TO here")
    run(f"INSERT INTO {table} VALUES (1)")
    database.commit(transaction)
    assert database.rows(f"SELECT id FROM {table}") == [[1]]


def test_a_failed_transaction_does_not_pretend_to_commit(database: Database, table: str) -> None:
    transaction = database.begin()
    database.execute(f"INSERT INTO {table} VALUES (1)", transactionId=transaction)
    database.refused(database.execute, "SELECT 1/0", transactionId=transaction)
    code, message = database.refused(database.commit, transaction)
    assert (code, message[-15:]) == ("DatabaseErrorException", "SQLState: 25P02")
    assert database.rows(f"SELECT id FROM {table}") == []
    assert database.refused(database.roll_back, transaction)[0] == NOT_FOUND


def test_a_transaction_that_is_not_used_for_too_long_is_rolled_back(
    database: Database, table: str, limits: Callable[..., None]
) -> None:
    limits(idle_seconds=0.4)
    transaction = database.begin()
    database.execute(f"INSERT INTO {table} VALUES (1)", transactionId=transaction)
    for _ in range(3):
        time.sleep(0.2)  # in use, it lives longer than it may idle
        database.execute("SELECT 1", transactionId=transaction)
    database.execute(f"LOCK TABLE {table}", transactionId=transaction)
    assert database.rows(f"SELECT id FROM {table}") == []  # waits for the lock, and so for the end
    assert database.refused(database.commit, transaction)[0] == NOT_FOUND


def test_a_transaction_ends_when_it_is_too_old(database: Database, limits: Callable[..., None]) -> None:
    transaction = database.begin()
    limits(transaction_seconds=0, idle_seconds=1)
    time.sleep(0.6)
    assert database.refused(database.execute, "SELECT 1", transactionId=transaction)[0] == NOT_FOUND


def test_a_transaction_runs_one_call_at_a_time(database: Database) -> None:
    transaction = database.begin()
    with ThreadPoolExecutor(1) as pool:
        sleeping = pool.submit(database.execute, "SELECT pg_sleep(0.5)", transactionId=transaction)
        time.sleep(0.2)
        refusal = ("DatabaseErrorException", "Transaction is still running a query")
        assert database.refused(database.execute, "SELECT 1", transactionId=transaction) == refusal
        sleeping.result()
    assert database.rows("SELECT 1", transactionId=transaction) == [[1]]
    database.commit(transaction)


def test_a_call_may_wait_for_a_transaction_while_everything_else_goes_on(database: Database, table: str) -> None:
    database.execute(f"INSERT INTO {table} VALUES (1, 'old')")
    transaction = database.begin()
    database.execute(f"UPDATE {table} SET note = 'first' WHERE id = 1", transactionId=transaction)
    with ThreadPoolExecutor(20) as pool:
        change = f"UPDATE {table} SET note = note || '+' WHERE id = 1"
        waiting = [pool.submit(database.execute, change) for _ in range(20)]
        time.sleep(0.3)
        assert not any(future.done() for future in waiting)
        began = time.monotonic()
        assert database.rows("SELECT 1") == [[1]]
        client(database.aws, "sts").get_caller_identity()
        assert time.monotonic() - began < 1
        database.commit(transaction)
        for future in waiting:
            future.result(timeout=10)
    assert database.rows(f"SELECT note FROM {table}") == [["first" + "+" * 20]]


def test_a_deadlock_is_told_to_one_of_the_two(database: Database, table: str) -> None:
    database.execute(f"INSERT INTO {table} VALUES (1), (2)")
    both = threading.Barrier(2)

    def update(first: int, second: int) -> str:
        transaction = database.begin()
        change = f"UPDATE {table} SET note = 'x' WHERE id = "
        database.execute(f"{change}{first}", transactionId=transaction)
        both.wait()
        try:
            database.execute(f"{change}{second}", transactionId=transaction)
        except database.client.exceptions.DatabaseErrorException as error:
            return str(error)[-5:]
        finally:
            database.roll_back(transaction)
        return "none"

    with ThreadPoolExecutor(2) as pool:
        states = sorted(pool.map(update, [1, 2], [2, 1]))
    assert states == ["40P01", "none"]


def test_a_cluster_with_open_transactions_does_not_pause(database: Database) -> None:
    transaction = database.begin()
    with pytest.raises(ValueError, match="open transactions"):
        control(database.aws, pause={"resourceArn": database.arn, "seconds": 1})
    database.roll_back(transaction)

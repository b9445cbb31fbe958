"""How much and how long."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.local.data_api.conftest import Database

OVERHEAD = 2 + 4
"""Of a row with one column."""


def test_a_row_of_64_kib_comes_and_a_larger_one_does_not(database: Database) -> None:
    most = 64 * 1024 - OVERHEAD
    assert database.rows(f"SELECT length(repeat('x', {most}))") == [[most]]
    assert len(database.rows(f"SELECT repeat('x', {most})")[0][0]) == most
    code, message = database.refused(database.execute, f"SELECT repeat('x', {most + 1})")
    assert code == "UnsupportedResultException"
    assert "Packet for query is too large" in message


def test_bytes_count_and_not_characters(database: Database) -> None:
    code, _ = database.refused(database.execute, "SELECT repeat('€', 22000)")
    assert code == "UnsupportedResultException"


def test_a_result_of_1_mib_comes_and_a_larger_one_does_not(database: Database) -> None:
    row = 32 * 1024
    sql = f"SELECT repeat('x', {row - OVERHEAD}) FROM generate_series(1, :rows)"
    assert len(database.rows(sql, {"rows": {"longValue": 32}})) == 32
    refusal = ("UnsupportedResultException", "The result exceeds the size limit 1 MB.")
    assert database.refused(database.execute, sql, {"rows": {"longValue": 33}}) == refusal


def test_json_of_more_than_10_mb_is_refused(database: Database) -> None:
    label = "x" * 63
    sql = f'SELECT 1 AS "{label}" FROM generate_series(1, :rows)'
    short = database.execute(sql, {"rows": {"longValue": 100_000}}, formatRecordsAs="JSON")
    assert len(short["formattedRecords"]) < 10_000_000
    code, message = database.refused(database.execute, sql, {"rows": {"longValue": 149_000}}, formatRecordsAs="JSON")
    assert (code, "10 MB" in message) == ("BadRequestException", True)


def test_a_request_of_nearly_4_mib_is_taken_and_a_larger_one_is_not(database: Database) -> None:
    def length(characters: int) -> int:
        return int(database.rows("SELECT length(:v)", {"v": {"stringValue": "x" * characters}})[0][0])

    assert length(4 * 1024 * 1024 - 1000) == 4 * 1024 * 1024 - 1000
    assert database.refused(length, 4 * 1024 * 1024)[0] == "BadRequestException"


def test_a_statement_has_at_most_65536_characters(database: Database) -> None:
    def of(characters: int) -> str:
        return "SELECT 1 --".ljust(characters, "x")

    assert database.rows(of(65_536)) == [[1]]
    assert database.refused(database.execute, of(65_537))[0] == "ValidationException"


def test_a_statement_that_takes_too_long_is_cancelled(
    database: Database, table: str, limits: Callable[..., None]
) -> None:
    limits(statement_seconds=0.3)
    slow = f"INSERT INTO {table} SELECT 1 FROM pg_sleep(1)"
    assert database.refused(database.execute, slow)[0] == "StatementTimeoutException"
    time.sleep(1)
    assert database.rows(f"SELECT id FROM {table}") == []


def test_a_statement_may_go_on_after_its_call(database: Database, table: str, limits: Callable[..., None]) -> None:
    limits(statement_seconds=0.3)
    slow = f"INSERT INTO {table} SELECT 1 FROM pg_sleep(0.6)"
    code, _ = database.refused(database.execute, slow, continueAfterTimeout=True)
    assert code == "StatementTimeoutException"
    time.sleep(0.6)
    assert database.rows(f"SELECT id FROM {table}") == [[1]]


def test_a_transaction_outlives_a_statement_that_was_cancelled(database: Database, limits: Callable[..., None]) -> None:
    limits(statement_seconds=0.3)
    transaction = database.begin()
    database.refused(database.execute, "SELECT pg_sleep(5)", transactionId=transaction)
    time.sleep(0.1)
    assert database.refused(database.execute, "SELECT 1", transactionId=transaction)[1].endswith("25P02")
    database.roll_back(transaction)


def test_within_a_transaction_no_statement_may_go_on_after_its_call(database: Database) -> None:
    transaction = database.begin()
    code, _ = database.refused(database.execute, "SELECT 1", transactionId=transaction, continueAfterTimeout=True)
    assert code == "BadRequestException"
    database.roll_back(transaction)


def test_more_calls_than_a_pool_keeps_may_run_at_once(database: Database) -> None:
    with ThreadPoolExecutor(40) as pool:
        began = time.monotonic()
        list(pool.map(lambda _: database.execute("SELECT pg_sleep(0.5)"), range(40)))
        assert time.monotonic() - began < 4

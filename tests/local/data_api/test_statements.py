"""What goes in and what comes out of a statement."""

import json
from typing import Any

import pytest

from local.data_api.statements import positional
from tests.local.data_api.conftest import Database


@pytest.mark.parametrize(
    ("sql", "expected", "names"),
    [
        ("SELECT :a, :b, :a", "SELECT $1, $2, $1", ["a", "b"]),
        ("SELECT :a::text", "SELECT $1::text", ["a"]),
        ("SELECT ':a', E'it\\':a', 'it'':a'", "SELECT ':a', E'it\\':a', 'it'':a'", []),
        ('SELECT 1 AS ":a"', 'SELECT 1 AS ":a"', []),
        ("SELECT 1 -- :a\n, :b /* :c\n*/", "SELECT 1 -- :a\n, $1 /* :c\n*/", ["b"]),
        ("x := 1; '{\"a\":1}'", "x := 1; '{\"a\":1}'", []),
    ],
)
def test_parameters_are_found_outside_of_strings_names_comments_and_casts(
    sql: str, expected: str, names: list[str]
) -> None:
    assert positional(sql) == (expected, names)


@pytest.mark.parametrize(("sql", "expected"), [("$$a :b$$", "$$a $1$$"), ("v[1:2]", "v[1$1]")])
def test_parameters_are_found_in_dollar_quotes_and_slices_as_on_aws(sql: str, expected: str) -> None:
    assert positional(sql)[0] == expected


@pytest.mark.parametrize(
    ("field", "type_name"),
    [
        ({"stringValue": "é 😀 ' \" \\"}, "text"),
        ({"longValue": -(2**63)}, "bigint"),
        ({"longValue": 2**63 - 1}, "bigint"),
        ({"doubleValue": 0.1}, "double precision"),
        ({"booleanValue": True}, "boolean"),
        ({"booleanValue": False}, "boolean"),
        ({"blobValue": b"\x00\xff"}, "bytea"),
    ],
)
def test_a_value_comes_back_as_it_went_in_with_the_type_of_its_field(
    database: Database, field: dict[str, Any], type_name: str
) -> None:
    answer = database.execute("SELECT :v, pg_typeof(:v)::text", {"v": field})
    assert answer["records"] == [[field, {"stringValue": type_name}]]


@pytest.mark.parametrize(
    ("hint", "value", "type_name"),
    [
        ("DATE", "2026-11-23", "date"),
        ("DECIMAL", "0.10", "numeric"),
        ("JSON", '{"a": [1, "ü"]}', "json"),
        ("TIME", "12:34:56.789", "time without time zone"),
        ("TIMESTAMP", "2026-11-23 12:34:56.789", "timestamp without time zone"),
        ("UUID", "4a009cfd-5ed5-4561-b654-53d812691cf2", "uuid"),
    ],
)
def test_a_type_hint_makes_a_string_the_type_it_names(
    database: Database, hint: str, value: str, type_name: str
) -> None:
    parameters = {"v": ({"stringValue": value}, hint)}
    assert database.rows("SELECT :v, pg_typeof(:v)::text", parameters) == [[value, type_name]]


def test_a_value_that_does_not_fit_its_hint_is_refused(database: Database) -> None:
    parameters = {"v": ({"stringValue": "2026-11-23T12:34:56Z"}, "TIMESTAMP")}
    code, message = database.refused(database.execute, "SELECT :v", parameters)
    assert code == "BadRequestException"
    assert "TIMESTAMP" in message


def test_a_string_is_text_and_nothing_else_without_a_cast(database: Database) -> None:
    parameters = {"v": {"stringValue": "4a009cfd-5ed5-4561-b654-53d812691cf2"}}
    code, message = database.refused(database.execute, "SELECT gen_random_uuid() = :v", parameters)
    assert code == "DatabaseErrorException"
    assert message == "ERROR: operator does not exist: uuid = text; Position: 26; SQLState: 42883"


def test_null_goes_in_and_comes_out(database: Database) -> None:
    answer = database.execute("SELECT :v::int, :h", {"v": {"isNull": True}, "h": ({"isNull": True}, "UUID")})
    assert answer["records"] == [[{"isNull": True}, {"isNull": True}]]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"arrayValue": {"longValues": [1]}}, "Array parameters are not supported."),
        ({"longValue": 2**63}, "longValue"),
        ({"longValue": "1"}, "longValue"),
        ({"stringValue": 1}, "stringValue"),
        ({}, "exactly one member"),
        ({"longValue": 1, "stringValue": "1"}, "exactly one member"),
    ],
)
def test_what_is_no_field_is_refused(database: Database, field: dict[str, Any], words: str) -> None:
    code, message = database.refused(database.execute, "SELECT :v", {"v": field})
    assert code in ("ValidationException", "BadRequestException", "SerializationException")
    assert words in message


def test_a_nul_is_refused_and_not_cut_off(database: Database) -> None:
    for parameter in ({"stringValue": "a\0b"}, ({"stringValue": '"a\0"'}, "JSON")):
        code, message = database.refused(database.execute, "SELECT :v", {"v": parameter})
        assert (code, message[-15:]) == ("DatabaseErrorException", "SQLState: 22021")


@pytest.mark.parametrize(
    ("sql", "field"),
    [
        ("1::smallint", {"longValue": 1}),
        ("1.50::numeric", {"stringValue": "1.50"}),
        ("1.5::real", {"doubleValue": 1.5}),
        ("'a'::char(3)", {"stringValue": "a  "}),
        ("'NaN'::float8", {"doubleValue": pytest.approx(float("nan"), nan_ok=True)}),
        ('\'{"b":1,"a":2}\'::jsonb', {"stringValue": '{"a": 2, "b": 1}'}),
        ("'12:00:00'::time", {"stringValue": "12:00:00"}),
        ("'2024-01-15 12:34:56.5'::timestamp", {"stringValue": "2024-01-15 12:34:56.500"}),
        ("'2024-01-15 12:34:56.1234'::timestamp", {"stringValue": "2024-01-15 12:34:56.123400"}),
        ("'2024-01-15 12:34:56+09'::timestamptz", {"stringValue": "2024-01-15 03:34:56"}),
        ("'2024-01-15 12:34:56.789+09'::timestamptz", {"stringValue": "2024-01-15 03:34:56.789"}),
        ("'0999-01-15 12:34:56+00'::timestamptz", {"stringValue": "0999-01-15 12:34:56"}),
        ("'{1,NULL,3}'::int[]", {"arrayValue": {"longValues": [1, None, 3]}}),
        (
            '\'{"a,b",NULL,"NULL","c\\"d",é}\'::text[]',
            {"arrayValue": {"stringValues": ["a,b", None, "NULL", 'c"d', "é"]}},
        ),
        ("'{t,f}'::bool[]", {"arrayValue": {"booleanValues": [True, False]}}),
        ("'{}'::int[]", {"arrayValue": {"longValues": []}}),
        ("pg_sleep(0)", {"stringValue": ""}),
    ],
)
def test_a_value_comes_as_the_field_that_aws_gives_it(database: Database, sql: str, field: dict[str, Any]) -> None:
    assert database.execute(f"SELECT {sql}")["records"] == [[field]]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("'1 day'::interval", "The result contains the unsupported data type INTERVAL."),
        ("'12:00+00'::timetz", "The result contains the unsupported data type TIMETZ."),
        ("1::money", "The result contains the unsupported data type MONEY."),
        ("'{{1},{2}}'::int[]", "The result contains a multidimensional array"),
    ],
)
def test_types_that_aws_does_not_return_are_refused(database: Database, sql: str, words: str) -> None:
    assert database.refused(database.execute, f"SELECT {sql}") == ("UnsupportedResultException", words)


def test_result_options_change_how_numbers_come(database: Database) -> None:
    options = {"decimalReturnType": "DOUBLE_OR_LONG", "longReturnType": "STRING"}
    answer = database.execute("SELECT 1.5::numeric, 2::numeric, 3::bigint", resultSetOptions=options)
    assert answer["records"] == [[{"doubleValue": 1.5}, {"longValue": 2}, {"stringValue": "3"}]]


def test_a_change_tells_how_many_rows_it_made_and_generates_no_fields(database: Database, table: str) -> None:
    answer = database.execute(f"INSERT INTO {table} SELECT i FROM generate_series(1, 7) i")
    assert (answer["numberOfRecordsUpdated"], answer["generatedFields"]) == (7, [])
    assert "records" not in answer


def test_returning_gives_the_rows_that_were_changed(database: Database, table: str) -> None:
    assert database.rows(f"INSERT INTO {table} VALUES (1), (2) RETURNING id") == [[1], [2]]


def test_formatted_records_are_json_with_the_columns_labels(database: Database) -> None:
    answer = database.execute(
        "SELECT 1 AS id, 1.5 AS price, 'ü\"' AS name, NULL AS nothing, true AS yes, '\\x00ff'::bytea AS bytes",
        formatRecordsAs="JSON",
    )
    assert "records" not in answer
    assert "columnMetadata" not in answer
    assert json.loads(answer["formattedRecords"]) == [
        {"id": 1, "price": "1.5", "name": 'ü"', "nothing": None, "yes": True, "bytes": "AP8="}
    ]


def test_two_columns_of_one_name_cannot_be_json(database: Database) -> None:
    code, _ = database.refused(database.execute, "SELECT 1 AS a, 2 AS a", formatRecordsAs="JSON")
    assert code == "BadRequestException"


def test_json_is_for_selects_only(database: Database, table: str) -> None:
    answer = database.execute(f"INSERT INTO {table} VALUES (1) RETURNING id", formatRecordsAs="JSON")
    assert answer["records"] == [[{"longValue": 1}]]


def test_metadata_describes_columns_and_comes_only_on_request(database: Database, table: str) -> None:
    sql = f"SELECT id, note AS remark, 1.5::numeric(10, 2) AS price FROM {table}"
    assert "columnMetadata" not in database.execute(sql)
    columns = database.execute(sql, includeResultMetadata=True)["columnMetadata"]
    assert [(c["name"], c["typeName"], c["type"], c["tableName"], c["nullable"]) for c in columns] == [
        ("id", "int4", 4, table, 0),
        ("remark", "text", 12, table, 1),
        ("price", "numeric", 2, "", 2),
    ]
    assert (columns[2]["precision"], columns[2]["scale"]) == (10, 2)


@pytest.mark.parametrize(
    ("sql", "state"),
    [("selekt", "42601"), ("SELECT * FROM nowhere", "42P01"), ("SELECT 1/0", "22012"), ("SELECT :missing", "08P01")],
)
def test_what_the_database_says_comes_with_its_sqlstate(database: Database, sql: str, state: str) -> None:
    code, message = database.refused(database.execute, sql)
    assert code == "DatabaseErrorException"
    assert message.startswith("ERROR: ")
    assert message.endswith(f"; SQLState: {state}")


def test_a_violated_constraint_is_told_by_sqlstate_and_name(database: Database, table: str) -> None:
    database.execute(f"INSERT INTO {table} VALUES (1)")
    code, message = database.refused(database.execute, f"INSERT INTO {table} VALUES (1)")
    assert code == "DatabaseErrorException"
    expected = f'ERROR: duplicate key value violates unique constraint "{table}_pkey"; SQLState: 23505'
    assert message == expected


def test_several_statements_in_one_call_are_refused_and_none_is_executed(database: Database, table: str) -> None:
    sql = f"INSERT INTO {table} VALUES (1); INSERT INTO {table} VALUES (2)"
    refusal = ("ValidationException", "Multistatements aren't supported.")
    assert database.refused(database.execute, sql) == refusal
    assert database.rows(f"SELECT * FROM {table}") == []
    assert database.rows("SELECT 1;") == [[1]]


def test_a_function_body_may_hold_semicolons(database: Database) -> None:
    database.execute(
        "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS "
        "$$ DECLARE m int := n; BEGIN m := m * 2; RETURN m; END $$"
    )
    assert database.rows("SELECT twice(21)") == [[42]]


def test_the_schema_parameter_is_refused(database: Database) -> None:
    refusal = ("ValidationException", "The schema parameter isn't supported")
    assert database.refused(database.execute, "SELECT 1", schema="public") == refusal


def test_a_batch_executes_each_set_and_all_or_none(database: Database, table: str) -> None:
    def batch(*ids: int) -> Any:
        sets = [[{"name": "id", "value": {"longValue": number}}] for number in ids]
        sql = f"INSERT INTO {table} VALUES (:id)"
        return database.client.batch_execute_statement(**database.names, database="events", sql=sql, parameterSets=sets)

    assert batch(1, 2)["updateResults"] == [{"generatedFields": []}] * 2
    code, _ = database.refused(batch, 3, 2)
    assert code == "DatabaseErrorException"
    assert database.rows(f"SELECT id FROM {table} ORDER BY id") == [[1], [2]]


def test_what_a_statement_sets_on_its_session_does_not_outlive_the_call(database: Database) -> None:
    database.execute("SET application_name = 'mine'")
    names = {database.rows("SELECT current_setting('application_name')")[0][0] for _ in range(10)}
    assert names == {"data-api"}


def test_sessions_are_in_utc_and_moments_are_even_when_they_are_not(database: Database) -> None:
    assert database.rows("SELECT current_setting('TimeZone')") == [["UTC"]]
    transaction = database.begin()
    database.execute("SET TIME ZONE 'Asia/Tokyo'", transactionId=transaction)
    moment = "SELECT '2024-01-15 12:34:56+09'::timestamptz"
    assert database.rows(moment, transactionId=transaction) == [["2024-01-15 03:34:56"]]
    database.roll_back(transaction)

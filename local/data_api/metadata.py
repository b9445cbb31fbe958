"""`columnMetadata`: what PostgreSQL's catalogue and JDBC's conventions say of the columns of a result."""

from collections.abc import Sequence
from typing import Any

from local.data_api import pg_types
from local.data_api.results import Column
from local.data_api.sessions import Session

_PRECISIONS = {"bool": 1, "int2": 5, "int4": 10, "int8": 19, "oid": 10, "float4": 8, "float8": 17, "uuid": 36}
_UNLIMITED = 2**31 - 1

# A column that was computed belongs to no table, and JDBC calls it "nullable: unknown" (2).
_CATALOGUE = """
SELECT t.typname, coalesce(n.nspname, ''), coalesce(c.relname, ''),
       CASE WHEN a.attnotnull THEN '0' WHEN a.attnotnull IS NULL THEN '2' ELSE '1' END,
       coalesce(a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false)
FROM unnest('{types}'::oid[], '{tables}'::oid[], '{attributes}'::int2[])
     WITH ORDINALITY AS result (type, rel, attribute, place)
     JOIN pg_catalog.pg_type t ON t.oid = result.type
     LEFT JOIN pg_catalog.pg_class c ON c.oid = result.rel
     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = result.rel AND a.attnum = result.attribute
     LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = result.rel AND d.adnum = result.attribute
ORDER BY place
"""


def describe(session: Session, columns: Sequence[Column]) -> list[dict[str, Any]]:
    def numbers(values: Sequence[int]) -> str:
        return "{" + ",".join(map(str, values)) + "}"

    question = _CATALOGUE.format(
        types=numbers([column.type for column in columns]),
        tables=numbers([column.table for column in columns]),
        attributes=numbers([column.attribute for column in columns]),
    )
    known = [[(value or b"").decode() for value in row] for row in session.execute(question).rows]
    return [_described(column, *row) for column, row in zip(columns, known, strict=True)]


def _described(
    column: Column, type_name: str, schema: str, table: str, nullable: str, generated: str
) -> dict[str, Any]:
    kind = pg_types.type_of(column.type)
    assert kind is not None  # the result was checked first
    element = pg_types.ELEMENT_OF.get(column.type)
    precision, scale = _size(type_name, column.modifier)
    return {
        "arrayBaseColumnType": pg_types.TYPES[element].jdbc if element else 0,
        "isAutoIncrement": generated == "t",
        "isCaseSensitive": kind.field == "stringValue" and kind.jdbc in (1, 12, 1111),
        "isCurrency": False,
        "isSigned": type_name in ("int2", "int4", "int8", "float4", "float8", "numeric"),
        "label": column.name,
        "name": column.name,
        "nullable": int(nullable),
        "precision": precision,
        "scale": scale,
        "schemaName": schema,
        "tableName": table,
        "type": kind.jdbc,
        "typeName": type_name,
    }


def _size(type_name: str, modifier: int) -> tuple[int, int]:
    """Precision and scale. PostgreSQL keeps what a type was declared with as a number that starts at 4."""
    if type_name == "numeric":
        return ((modifier - 4) >> 16, (modifier - 4) & 0xFFFF) if modifier > 0 else (0, 0)
    if type_name in ("varchar", "bpchar"):
        return (modifier - 4 if modifier > 0 else _UNLIMITED), 0
    return _PRECISIONS.get(type_name, _UNLIMITED), 0

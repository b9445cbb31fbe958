"""PostgreSQL's types, as the Data API sees them: which member of the union `Field` holds a value, and what JDBC calls
the type. The numbers are those of pg_type, which never change for built-in types.

A type that is not here is refused, even where AWS may return it: what works here must work there.
"""

from dataclasses import dataclass

UNSPECIFIED = 0
BOOL, BYTEA, INT8, FLOAT8, TEXT = 16, 17, 20, 701, 25
JSON, DATE, TIME, TIMESTAMP, TIMESTAMPTZ, NUMERIC, UUID = 114, 1082, 1083, 1114, 1184, 1700, 2950
_NAME, _INT2, _INT4, _OID, _CIDR, _FLOAT4, _INET, _BPCHAR, _VARCHAR = 19, 21, 23, 26, 650, 700, 869, 1042, 1043
_VOID, _TSVECTOR, _JSONB = 2278, 3614, 3802

_FIRST_OF_USERS = 16_384
"""Types from here on were created by users: enumerations, domains, composites. They come as text."""


@dataclass(frozen=True)
class Type:
    """A type whose values the Data API returns, in the member `field` of `Field`; `jdbc` is java.sql.Types' number."""

    name: str
    field: str
    jdbc: int


TYPES = {
    BOOL: Type("bool", "booleanValue", -7),
    BYTEA: Type("bytea", "blobValue", -2),
    _NAME: Type("name", "stringValue", 12),
    INT8: Type("int8", "longValue", -5),
    _INT2: Type("int2", "longValue", 5),
    _INT4: Type("int4", "longValue", 4),
    TEXT: Type("text", "stringValue", 12),
    _OID: Type("oid", "longValue", -5),
    JSON: Type("json", "stringValue", 1111),
    _CIDR: Type("cidr", "stringValue", 1111),
    _FLOAT4: Type("float4", "doubleValue", 7),
    FLOAT8: Type("float8", "doubleValue", 8),
    _INET: Type("inet", "stringValue", 1111),
    _BPCHAR: Type("bpchar", "stringValue", 1),
    _VARCHAR: Type("varchar", "stringValue", 12),
    DATE: Type("date", "stringValue", 91),
    TIME: Type("time", "stringValue", 92),
    TIMESTAMP: Type("timestamp", "stringValue", 93),
    TIMESTAMPTZ: Type("timestamptz", "stringValue", 93),
    NUMERIC: Type("numeric", "stringValue", 2),
    _VOID: Type("void", "stringValue", 1111),
    UUID: Type("uuid", "stringValue", 1111),
    _TSVECTOR: Type("tsvector", "stringValue", 1111),
    _JSONB: Type("jsonb", "stringValue", 1111),
}

ELEMENT_OF = {
    199: JSON,
    1000: BOOL,
    1005: _INT2,
    1007: _INT4,
    1009: TEXT,
    1014: _BPCHAR,
    1015: _VARCHAR,
    1016: INT8,
    1021: _FLOAT4,
    1022: FLOAT8,
    1115: TIMESTAMP,
    1182: DATE,
    1183: TIME,
    1185: TIMESTAMPTZ,
    1231: NUMERIC,
    2951: UUID,
    3807: _JSONB,
}
"""Array types, and the type of their elements."""


def type_of(number: int) -> Type | None:
    """The type with this number; None if its values are refused."""
    if number in ELEMENT_OF:
        return Type(f"_{TYPES[ELEMENT_OF[number]].name}", "arrayValue", 2003)
    if number >= _FIRST_OF_USERS:
        return Type("", "stringValue", 1111)
    return TYPES.get(number)

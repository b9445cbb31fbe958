"""The limits of the Data API. Sources: README.md."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    statement_seconds: float = 45
    """How long a call waits for its statement."""
    idle_seconds: float = 3 * 60
    """After which an unused transaction is rolled back."""
    transaction_seconds: float = 24 * 60 * 60
    """After which any transaction is rolled back."""
    request_bytes: int = 4 * 1024 * 1024
    sql_characters: int = 65_536
    row_bytes: int = 64 * 1024
    result_bytes: int = 1024 * 1024
    json_bytes: int = 10_000_000
    """The text in `formattedRecords`."""

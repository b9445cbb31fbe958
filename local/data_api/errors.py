"""The errors of the Data API: names and statuses from its API model, words as AWS was seen to choose them."""


class DataApiError(Exception):
    """An error answer: a shape of the API model, its HTTP status and its message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def bad_request(message: str) -> DataApiError:
    return DataApiError("BadRequestException", message)


def invalid(message: str) -> DataApiError:
    """Refused before any database was asked. Not in the API model, but seen on AWS."""
    return DataApiError("ValidationException", message)


def database_error(message: str, sql_state: str, position: str = "") -> DataApiError:
    """What the database said of a statement, as `ERROR: …; Position: …; SQLState: …`."""
    parts = [f"ERROR: {message}", f"Position: {position}" if position else "", f"SQLState: {sql_state}"]
    return DataApiError("DatabaseErrorException", "; ".join(filter(None, parts)))


def unsupported_result(message: str) -> DataApiError:
    return DataApiError("UnsupportedResultException", message)


def no_transaction(transaction_id: str) -> DataApiError:
    return DataApiError("TransactionNotFoundException", f"Transaction {transaction_id} is not found", 404)


def still_running() -> DataApiError:
    return DataApiError("DatabaseErrorException", "Transaction is still running a query")


def internal_failure() -> DataApiError:
    return DataApiError("InternalServerErrorException", "", 500)

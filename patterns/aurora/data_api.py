"""Statements through the RDS Data API, one a call, each in a transaction of its own.

A database that resumes from its pause, a connection that drops, an answer that is lost, a failover: each is retried
for as long as the invocation has time. So a statement may take effect more than once, and must bear that.
"""

import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError

from lambdas.eventstore import aws
from lambdas.eventstore.retry import Retries

_PASSING = {
    "DatabaseResumingException",  # it was paused, and takes 15 s or more; no SDK retries this
    "DatabaseUnavailableException",  # a failover
}

_PASSING_STATE = re.compile(r"SQLState: (08...|40001|40P01|57P0[1-3])")
"""Connection lost, serialization failure, deadlock, and a server that shuts down or starts (PostgreSQL, appendix A)."""

_UNREACHABLE = "the database was out of reach; only a retry with the same requestId tells whether anything was stored"

Row = list[Any]


def from_environment(environ: Mapping[str, str]) -> "Database":
    """The database that the Lambda's environment describes: CLUSTER_ARN, SECRET_ARN, DATABASE."""
    return Database(aws.client("rds-data"), environ["CLUSTER_ARN"], environ["SECRET_ARN"], environ["DATABASE"])


class Database:
    """A database of an Aurora cluster, and the secret to open it with."""

    def __init__(self, client: Any, cluster_arn: str, secret_arn: str, name: str) -> None:
        self._client = client
        self._target = {"resourceArn": cluster_arn, "secretArn": secret_arn, "database": name}

    def execute(self, sql: str, /, **parameters: str | int | None) -> list[Row]:
        """The rows that the statement answers with. Parameters arrive as text and bigint: cast what is neither.

        Raises:
            OutOfTime: the database was out of reach for all of the invocation. Whether the statement took effect
                is unknown.
        """
        named = [{"name": name, "value": _field(value)} for name, value in parameters.items()]
        retries = Retries()
        while True:
            try:
                answer = self._client.execute_statement(**self._target, sql=sql, parameters=named)
                return [[_value(field) for field in record] for record in answer.get("records", [])]
            except HTTPClientError:  # the SDK has tried several times by now
                retries.pause(_UNREACHABLE)
            except ClientError as error:
                if not _passes(error):
                    raise
                retries.pause(_UNREACHABLE)


def _passes(error: ClientError) -> bool:
    return aws.error_code(error) in _PASSING or bool(_PASSING_STATE.search(str(error)))


def _field(value: str | int | None) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    return {"stringValue": value} if isinstance(value, str) else {"longValue": value}


def _value(field: dict[str, Any]) -> Any:
    [(kind, value)] = field.items()
    return None if kind == "isNull" else value

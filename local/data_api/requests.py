"""A request of the Data API, checked for form."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.data_api import parameters
from local.data_api.errors import DataApiError, bad_request, invalid
from local.data_api.limits import Limits
from local.data_api.parameters import Parameter
from local.data_api.results import Options


@dataclass(frozen=True)
class Request:
    """The members of a request, each asked for by the operation that knows it. All raise DataApiError."""

    members: Mapping[str, Any]

    @classmethod
    def read(cls, body: bytes, limits: Limits) -> "Request":
        if len(body) > limits.request_bytes:
            raise bad_request(f"The request exceeds the size limit of {limits.request_bytes} bytes.")
        try:
            members = json.loads(body)
        except ValueError:
            members = None
        if not isinstance(members, dict):
            raise DataApiError("SerializationException", "The request is no JSON object.")
        if members.get("schema"):
            raise invalid("The schema parameter isn't supported")
        return cls({name: value for name, value in members.items() if value is not None})

    def text(self, name: str) -> str:
        if not self.optional_text(name):
            raise invalid(f"{name} is missing.")
        return self.optional_text(name)

    def optional_text(self, name: str) -> str:
        """Empty if it is not there."""
        value = self.members.get(name, "")
        if not isinstance(value, str):
            raise invalid(f"{name} is no string.")
        return value

    def flag(self, name: str) -> bool:
        value = self.members.get(name, False)
        if not isinstance(value, bool):
            raise invalid(f"{name} is no boolean.")
        return value

    def sql(self, limits: Limits) -> str:
        sql = self.text("sql")
        if len(sql) > limits.sql_characters:
            raise invalid(f"sql has {len(sql)} characters, and may have {limits.sql_characters}.")
        return sql

    def parameters(self) -> dict[str, Parameter]:
        return parameters.read(_objects(self.members.get("parameters", []), "parameters"))

    def parameter_sets(self) -> list[dict[str, Parameter]]:
        sets = self.members.get("parameterSets", [])
        if not isinstance(sets, list):
            raise invalid("parameterSets is no list.")
        return [parameters.read(_objects(parameter_set, "parameterSets")) for parameter_set in sets]

    def as_json(self) -> bool:
        return self._choice(self.members, "formatRecordsAs", "NONE", "JSON")

    def result_options(self) -> Options:
        options = self.members.get("resultSetOptions", {})
        if not isinstance(options, dict):
            raise invalid("resultSetOptions is no object.")
        return Options(
            decimals_as_numbers=self._choice(options, "decimalReturnType", "STRING", "DOUBLE_OR_LONG"),
            longs_as_strings=self._choice(options, "longReturnType", "LONG", "STRING"),
        )

    @staticmethod
    def _choice(members: Mapping[str, Any], name: str, default: str, other: str) -> bool:
        """Whether the other one was chosen."""
        value = members.get(name, default)
        if value not in (default, other):
            raise invalid(f"{name} is neither {default} nor {other}.")
        return bool(value == other)


def _objects(value: Any, name: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise invalid(f"{name} is no list of objects.")
    return value

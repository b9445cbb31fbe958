"""The options that all patterns share, read off the modules that define them."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.discovery import ROOT

_DEFINED_BY = {
    "function_settings": "lambda_function",
    "operation_settings": "event_store_api",
    "table_settings": "dynamodb_table",
    "kms_key_arn": "event_store_api",
    "alarm_actions": "event_store_api",
    "tags": "event_store_api",
}
"""Where each variable has its full description and its defaults."""


def options() -> list[list[str]]:
    """Name, default and meaning of each, as cells of a table."""
    modules = ROOT / "terraform/modules"
    return [row for variable, module in _DEFINED_BY.items() for row in _rows(modules / module, variable)]


def _rows(module: Path, variable: str) -> Iterator[list[str]]:
    text = (module / "variables.tf").read_text(encoding="utf-8")
    [block] = re.findall(rf'(?ms)^variable "{variable}" {{\n(.*?)^}}', text)
    if short := re.search(r'(?m)^  description = "(.*)"$', block):
        yield [f"`{variable}`", "none", short[1]]
        return
    [told] = re.findall(r"(?s)<<-EOT\n(.*?)\n    - (.*?)(?:\n\n|\n  EOT)", block)
    for item in told[1].split("\n    - "):
        names, meaning = re.sub(r"\s+", " ", item).split(": ", 1)
        for name in re.findall(r"`(\w+)`", names):
            [(kind, default)] = re.findall(rf"(?m)^    {name}\s+= optional\((\w+)(?:, (.*)|.*)\)$", block)
            value = default.strip('"') or ("false" if kind == "bool" else "none")
            yield [f"`{variable}.{name}`", {"true": "on", "false": "off"}.get(value, value), meaning]

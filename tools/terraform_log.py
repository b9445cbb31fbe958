"""What a running Terraform tells: a line for each thing done, a sign of life in a silence, and its errors in short."""

import json
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from tools.console import progress

POLL_SECONDS = 0.1
SILENCE_SECONDS = 10.0


_AWS_ERROR = re.compile(
    r"operation error [\w ]+: (\w+), .*?StatusCode: \d+, RequestID: [^,]*, (?:HostID: [^,]*, )?"
    r"(?:api error )?([\w.]+): ",
    re.DOTALL,
)
"""How the AWS SDK for Go words an error: operation, status, request id, and the service's own code."""


_KNOWN_WARNINGS = ("Deprecated flag: -state",)
"""The one way to choose where a state is without a backend in the configuration: see docs/adr/0008."""

_LOGGED = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\S* \[")


@dataclass(frozen=True)
class Refusal:
    """An answer of AWS that is an error: to which operation, such as `CreateTable`, and its code."""

    operation: str
    code: str


class Report:
    """Reads the lines of Terraform's `-json` log; of what is not JSON, such as all of `init`, only errors."""

    def __init__(self, title: str, planned: int = 0) -> None:
        self.title = title
        self.errors: list[str] = []
        self.summaries: list[str] = []
        """What Terraform calls the errors."""
        self.refusals: list[Refusal] = []
        """The answers of AWS among them."""
        self._planned, self._done = planned, 0
        self._continues = False

    def read(self, line: str) -> None:
        try:
            entry = json.loads(line)
            kind = entry["type"]
        except (ValueError, KeyError, TypeError):
            self._read_plain(line)
            return
        if kind == "change_summary" and entry["changes"]["operation"] == "plan":
            self._planned = sum(entry["changes"][change] for change in ("add", "change", "remove"))
            progress(f"{self.title}: {self._planned or 'no'} changes")
        elif kind == "apply_complete" and entry["hook"]["action"] != "read":  # a data source is in no plan's count
            self._done += 1
            progress(f"{self.title}: [{self._done}/{self._planned}] {entry['hook']['resource']['addr']}")
        elif kind == "apply_progress":
            progress(f"{self.title}: {entry['hook']['resource']['addr']} for {entry['hook']['elapsed_seconds']} s")
        elif kind == "diagnostic" and entry["diagnostic"]["severity"] == "error":
            self._read_error(entry["diagnostic"])
        elif kind == "diagnostic" and entry["diagnostic"]["summary"] not in _KNOWN_WARNINGS:
            progress(f"{self.title}: warning: {_summary(entry['diagnostic'])}", style="yellow")

    def _read_error(self, diagnostic: Mapping[str, Any]) -> None:
        self.errors.append(_summary(diagnostic))
        self.summaries.append(diagnostic["summary"])
        text = f"{diagnostic['summary']} {diagnostic.get('detail', '')}"
        self.refusals += [Refusal(*found) for found in _AWS_ERROR.findall(text)]

    def _read_plain(self, line: str) -> None:
        if line.startswith("Error: "):
            self.errors.append(line.removeprefix("Error: "))
            self._continues = True
        elif _LOGGED.match(line):  # TF_LOG
            self._continues = False
        elif self._continues and line.strip():
            self.errors[-1] += f" {line.strip()}"


def follow(lines: IO[str], process: "subprocess.Popen[bytes]", report: Report) -> None:
    """Gives each line of a growing log to the report, until the process that writes it has ended."""
    heard, rest, ended = time.monotonic(), "", False
    while not ended:
        ended = process.poll() is not None
        *complete, rest = (rest + lines.read()).split("\n")
        for line in complete:
            report.read(line)
        if complete:
            heard = time.monotonic()
        elif time.monotonic() - heard > SILENCE_SECONDS:
            progress(f"{report.title} is at work")
            heard = time.monotonic()
        if not ended:
            time.sleep(POLL_SECONDS)


def _summary(diagnostic: Mapping[str, Any]) -> str:
    where = f" ({diagnostic['address']})" if diagnostic.get("address") else ""
    return " ".join(f"{diagnostic['summary']}{where} {diagnostic.get('detail', '')}".split()).rstrip(".")

"""What a running Terraform tells: a line for each thing done, a sign of life in a silence, and its errors in short."""

import json
import subprocess
import time
from collections.abc import Mapping
from typing import IO, Any

from tools.console import progress

POLL_SECONDS = 0.1
SILENCE_SECONDS = 10.0


class Report:
    """Reads the lines of Terraform's `-json` log; of what is not JSON, such as all of `init`, only errors."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.errors: list[str] = []
        self._planned = self._done = 0

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
            self.errors.append(_summary(entry["diagnostic"]))

    def _read_plain(self, line: str) -> None:
        if line.startswith("Error: "):
            self.errors.append(line.removeprefix("Error: "))
        elif self.errors and line.strip():
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

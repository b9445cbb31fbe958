"""`python -m tools.call PATTERN OPERATION [JSON] [--target …]`: one call of a deployed store, for people and pipes.

The request is the JSON that is given, or read from standard input. The answer is printed indented on a terminal, and in
a pipe as one line. A refusal is an answer too, with exit status 0: look for `error` in it. A call that failed has
exit status 1. A request to store gets a `requestId` if it has none, so that a repeated one answers as the first would.
"""

import argparse
import json
import sys
from typing import Any, cast, get_args
from uuid import uuid4

from rich.console import Console

from lambdas.eventstore.wire import Operation
from tools import arguments, stores
from tools.console import UsageError, result, run
from tools.discovery import Pattern, select


def main() -> None:
    pattern, target, operation, text = _arguments()
    request = _request(operation, text or _standard_input())
    with stores.deployed(pattern, target) as store:
        show(store.call(operation, request))


def show(answer: dict[str, Any]) -> None:
    if sys.stdout.isatty():
        Console().print_json(data=answer)
    else:
        ascii_only = not sys.stdout.encoding.lower().startswith("utf")
        result(json.dumps(answer, ensure_ascii=ascii_only, separators=(",", ":")))


def _arguments() -> tuple[Pattern, str, Operation, str]:
    parser = argparse.ArgumentParser(description="Call a deployed store once.")
    parser.add_argument("pattern", help="a folder under patterns/")
    parser.add_argument("operation", help=", ".join(get_args(Operation)))
    parser.add_argument("request", nargs="?", default="", help="JSON; none, to read it from standard input")
    parser.add_argument("--target", default="local", help="local (default), localstack or aws")
    given = parser.parse_args()
    arguments.check_target(given.target)
    patterns = select(given.pattern)
    if len(patterns) > 1:
        raise UsageError(
            f"One store is called at a time: give PATTERN=… as one of {', '.join(p.name for p in patterns)}."
        )
    if given.operation not in get_args(Operation):
        complaint = f"There is no operation {given.operation!r}" if given.operation else "OPERATION is missing"
        raise UsageError(f"{complaint}: give OPERATION=… as one of {', '.join(get_args(Operation))}.")
    return patterns[0], given.target, cast(Operation, given.operation), given.request


def _standard_input() -> bytes:
    if sys.stdin.isatty():
        raise UsageError("The request is missing: give JSON='{…}', or pipe it in.")
    return sys.stdin.buffer.read()


def _request(operation: Operation, text: str | bytes) -> Any:
    try:
        request = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise UsageError(
            f'The request is not JSON ({error}): quote it as in JSON=\'{{"aggregateId": "a"}}\'.'
        ) from None
    if operation == "store_events" and isinstance(request, dict):
        return {"requestId": str(uuid4()), **request}
    return request


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is none of its numbers")


if __name__ == "__main__":
    run(main)

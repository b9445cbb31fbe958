"""`python -m local up | down | env | status`: the local AWS of this checkout.

Results go to standard output, progress and errors to standard error. The exit status is 1 for a failure
(`env` and `status`: none runs) and 2 for wrong usage.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence

from local import control
from local.control import STATE_DIR, LocalAws
from local.errors import LocalAwsError
from local.progress import live

NONE_RUNS = "No local AWS is running. Start one with `make deploy PATTERN=…` or `python -m local up`."


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description="The local AWS of this checkout.")
    what = "start it, stop it, print its environment or its state"
    parser.add_argument("command", choices=COMMANDS, help=what)
    command = parser.parse_args(arguments).command
    try:
        return COMMANDS[command](parser)
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 1


def up(parser: argparse.ArgumentParser) -> int:
    port = _port(parser)
    with live() as tell:
        aws = LocalAws.start(STATE_DIR, port, detached=True, tell=tell)
    if aws.port != port:
        print(f"It already runs, on port {aws.port}: `make down` first to move it.", file=sys.stderr)
    print(aws.endpoint)
    return 0


def down(_parser: argparse.ArgumentParser) -> int:
    stopped = control.stop(STATE_DIR)
    print("The local AWS is stopped." if stopped else "No local AWS was running.", file=sys.stderr)
    return 0


def env(_parser: argparse.ArgumentParser) -> int:
    aws = control.find(STATE_DIR)
    if not aws:
        print(NONE_RUNS, file=sys.stderr)
        return 1
    for name, value in aws.environment.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def status(_parser: argparse.ArgumentParser) -> int:
    aws = control.find(STATE_DIR)
    health = aws and aws.health()
    if not aws or not health:
        print(NONE_RUNS, file=sys.stderr)
        return 1
    for name, value in {"endpoint": aws.endpoint, **health, "log": str(aws.log)}.items():
        print(f"{name:10} {value}")
    return 0


COMMANDS = {"up": up, "down": down, "env": env, "status": status}


def _port(parser: argparse.ArgumentParser) -> int:
    given = os.environ.get("LOCAL_AWS_PORT", "4566")
    if not (given.isdecimal() and 0 < int(given) < 65536):
        parser.error(f"LOCAL_AWS_PORT must be a port number from 1 to 65535, and is {given!r}.")
    return int(given)


if __name__ == "__main__":
    sys.exit(main())

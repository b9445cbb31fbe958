"""`python -m local up | down | env | status`: the local AWS of this checkout.

Results go to standard output, progress and errors to standard error. The exit status is 1 for a failure
(`env` and `status`: none runs) and 2 for wrong usage.
"""

import argparse
import sys
from collections.abc import Sequence

from local import control, shell
from local.control import STATE_DIR, LocalAws
from local.errors import LocalAwsError, LocalAwsUsageError
from local.progress import live

NONE_RUNS = "No local AWS is running. Start one with `make deploy PATTERN=…` or `python -m local up`."


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description="The local AWS of this checkout.")
    what = "start it, stop it, print its environment or its state"
    parser.add_argument("command", choices=COMMANDS, help=what)
    command = parser.parse_args(arguments).command
    try:
        return COMMANDS[command](shell.port())
    except LocalAwsError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2 if isinstance(error, LocalAwsUsageError) else 1
    except KeyboardInterrupt:
        return 130


def up(port: int) -> int:
    with live() as tell:
        aws = LocalAws.start(STATE_DIR, port, detached=True, tell=tell)
    if aws.port != port:
        print(f"It already runs, on port {aws.port}: `make down` first to move it.", file=sys.stderr)
    print(aws.endpoint)
    return 0


def down(_port: int) -> int:
    stopped = control.stop(STATE_DIR)
    print("The local AWS is stopped." if stopped else "No local AWS was running.", file=sys.stderr)
    return 0


def env(_port: int) -> int:
    aws = control.find(STATE_DIR)
    if not aws:
        print(NONE_RUNS, file=sys.stderr)
        return 1
    for line in shell.lines(aws.environment):
        print(line)
    return 0


def status(_port: int) -> int:
    aws = control.find(STATE_DIR)
    health = aws and aws.health()
    if not aws or not health:
        print(NONE_RUNS, file=sys.stderr)
        return 1
    for name, value in {"endpoint": aws.endpoint, **health, "log": str(aws.log)}.items():
        print(f"{name:10} {value}")
    return 0


COMMANDS = {"up": up, "down": down, "env": env, "status": status}


if __name__ == "__main__":
    sys.exit(main())

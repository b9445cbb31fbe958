"""`python -m tools.audit PATTERN [--target …] [--repair]`: compares all that deployed patterns keep with itself.

Exit status: 0 all agrees, 1 a difference, 2 wrong usage. Progress goes to stderr, a sentence for each pattern to
stdout.
With `--repair`, each place of a store is first made to hold what its others hold (docs/adr/0015 has the rule). Tables
that make has not deployed, such as those that were just restored, are named with `--store`.
"""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.eventstore.audits import SETTLE_SECONDS, Difference, Tell
from tools import arguments, targets
from tools.console import Failure, UsageError, progress, result, run
from tools.discovery import Pattern
from tools.output import outputs

_WRITERS = ("store_events", "sequencer")
"""The outputs that name a function which writes."""


def main() -> None:
    parser = arguments.parser("Compare all that deployed patterns keep with itself.")
    parser.add_argument("--repair", action="store_true", help="first make each place hold what the others hold")
    parser.add_argument("--store", nargs="+", default=[], metavar="NAME=VALUE", help=_STORE_HELP)
    patterns, target_name, given = arguments.parse_all(parser)
    named = _named(given.store, patterns)
    deployed = {} if named else {pattern: outputs(pattern, target_name) for pattern in patterns}
    target = targets.reach(target_name)
    if not target:
        raise Failure("No local AWS is running, and so there is no store.")
    if given.repair:
        names = ", ".join(pattern.name for pattern in patterns)
        targets.consent(target, f"Repair the tables of {names} there?")
    os.environ.clear()
    os.environ.update(target.environment)
    if given.repair:
        for pattern, offers in deployed.items():
            if hasattr(module(pattern), "repair"):
                refuse_while_running(offers)
    found = 0
    for pattern in patterns:
        environ = named or environment(deployed[pattern])
        try:
            if given.repair:
                repair(pattern, environ, restored=bool(named))
            result(f"{pattern.name}: all agrees: {audit(pattern, environ)}")
        except Difference as difference:
            found += 1
            result(f"{pattern.name}: {difference}")
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"{pattern.name}: AWS refused a call, run it again once it would not: {error}") from None
    sys.exit(1 if found else 0)


_STORE_HELP = "tables that make has not deployed, as the store's functions are told of them: TABLE=… LOG_TABLE=…"


def _named(given: Sequence[str], patterns: Sequence[Pattern]) -> dict[str, str]:
    """The environment of a store that is given by hand; none if none is."""
    named = dict(it.split("=", 1) for it in given if "=" in it)
    if given and (len(named) < len(given) or len(patterns) > 1):
        raise UsageError(f"{' '.join(given)!r} names no store of one pattern: give STORE as TABLE=… LOG_TABLE=….")
    return named


def audit(pattern: Pattern, environ: Mapping[str, str], settle_seconds: float = SETTLE_SECONDS) -> str:
    """What the store holds, in a sentence.

    Raises:
        Difference: what contradicts what.
    """
    return str(module(pattern).audit(environ, teller(pattern), settle_seconds))


def repair(pattern: Pattern, environ: Mapping[str, str], *, restored: bool = False) -> None:
    """Nothing for a pattern with all events in one place.

    Raises:
        Difference: it cannot be repaired.
    """
    if repairs := getattr(module(pattern), "repair", None):
        repairs(environ, teller(pattern), restored=restored)
    else:
        progress(f"{pattern.name}: has all events in one place, and nothing to repair it from")


def refuse_while_running(offers: Mapping[str, str]) -> None:
    """A Failure that tells how to stop what writes; nobody's running invocation is ended."""
    client = boto3.client("lambda")

    def may_run(function: str) -> bool:
        reserved = client.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions")
        return bool(reserved != 0)

    writers = [unqualified(offers[output]) for output in _WRITERS if output in offers]
    if running := list(filter(may_run, writers)):
        stop = "aws lambda put-function-concurrency --reserved-concurrent-executions 0 --function-name"
        raise Failure(
            f"{' and '.join(running)} may run, and would store what no repair can reconcile. Stop what writes:"
            f" {'; '.join(f'{stop} {function}' for function in running)}. Wait for a minute, for what is under way."
            " After the repair start it again: make deploy"
        )


def module(pattern: Pattern) -> Any:
    """The pattern's `audit.py`, which offers what `lambdas/eventstore/audits.py` says."""
    if not (pattern.folder / "audit.py").exists():
        raise Failure(f"{pattern.name} has no audit.py: CONTRIBUTING.md says what it offers.")
    return importlib.import_module(f"patterns.{pattern.name}.audit")


def environment(offers: Mapping[str, str]) -> dict[str, str]:
    """Of the deployed `get_all_events`, from which an audit knows where the store is."""
    function = boto3.client("lambda").get_function_configuration(FunctionName=offers["get_all_events"])
    return dict(function["Environment"]["Variables"])


def unqualified(function: str) -> str:
    """The name of the function of which this may name an alias."""
    return function.partition(":")[0]


def teller(pattern: Pattern) -> Tell:
    return lambda line: progress(f"{pattern.name}: {line}")


if __name__ == "__main__":
    run(main)

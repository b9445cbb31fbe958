"""The store of the pattern that a Lambda's environment names, found in the package that the Lambda runs."""

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from lambdas.eventstore.contract import EventStore, StoreModule


def store_of(environ: Mapping[str, str]) -> EventStore:
    """The store of PATTERN, as the rest of the environment describes it. Calls no AWS service.

    Raises:
        RuntimeError: the package does not hold it.
    """
    name = environ["PATTERN"]
    path = f"patterns.{name}.store"
    try:
        module = cast(StoreModule, import_module(path))
    except ModuleNotFoundError as error:
        if not path.startswith(str(error.name)):
            raise
        raise RuntimeError(f"PATTERN is {name}, and the package does not hold {path}: deploy {name}.zip") from None
    return module.from_environment(environ)

"""Running one of the emulator's functions while some names of its module mean something else."""

from collections.abc import Callable
from types import FunctionType
from typing import Any


def with_names(function: Callable[..., Any], **names: Any) -> Callable[..., Any]:
    """`function`, for which these names of its module mean these values; for all others they stay what they are."""
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__, function.__globals__ | names, function.__name__, function.__defaults__)

"""In a package, in place of `typing_extensions`: what a handler's start imports from it.

Powertools marks one function as deprecated, which nothing here calls. For that, each cold start would compile the real
module: 165 KB, more than all of the project's own code.
"""

import sys
from collections.abc import Callable
from typing import TypeVar

__all__ = ["deprecated"]

Decorated = TypeVar("Decorated")

if sys.version_info >= (3, 13):
    from warnings import deprecated
else:

    def deprecated(message: str, /, **_: object) -> Callable[[Decorated], Decorated]:
        return lambda decorated: decorated

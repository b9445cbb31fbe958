"""Reads an expression once, not once for each item that it is evaluated for.

MiniStack splits the text of an expression into tokens, and checks its syntax, anew for every item: most of the time of
a Query or a Scan of a hundred items. Both depend on nothing but the text.

In MiniStack: `functools.lru_cache` on `_condition_syntax_error`, and on what `_tokenize` copies its answer from.
"""

from functools import lru_cache
from typing import Any

_KEPT = 1024


def install(dynamodb: Any) -> None:
    tokens = lru_cache(_KEPT)(dynamodb._tokenize)

    def tokenize(expression: str) -> list[Any]:
        return list(tokens(expression))  # whose callers may change it

    dynamodb._tokenize = tokenize
    dynamodb._condition_syntax_error = lru_cache(_KEPT)(dynamodb._condition_syntax_error)

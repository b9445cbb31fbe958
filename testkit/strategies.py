"""Hypothesis strategies for what the contract accepts."""

from typing import Any

from hypothesis import strategies as st

from testkit.examples import EDGES, LARGEST, LARGEST_INTEGER, SMALLEST

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
"""Any Unicode but U+0000 and lone surrogates."""

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)

_TRICKY = [0.0, 1, 0.1, 1e-7, 1 / 3, 5e-324 * 1e300, 1e21, 1.5e300 / 1e200, -1e-130, 9.9e125, 1 - 2**53]
_LONG = [123456789.12345679, 4503599627370497.5]


def _kept(number: float) -> bool:
    return number == 0 or SMALLEST <= abs(number) <= LARGEST


NUMBERS = (
    st.sampled_from([number for number in EDGES + _TRICKY + _LONG if _kept(number)])
    | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False).filter(_kept)
)

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
METADATA = st.dictionaries(NAMES, JSON, max_size=5)

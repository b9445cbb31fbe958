"""Which characters an identifier may have: a list of our own, so that every Python accepts and refuses the same.

`str.isprintable` follows the Unicode tables of the Python that runs it: what one Lambda runtime stores, another would
refuse. This list is that of Unicode 16.0 (unicode.org/Public/16.0.0/ucd/UnicodeData.txt), written down. Not printable
are controls (Cc), format characters (Cf), separators (Zl, Zp, and Zs but U+0020), surrogates, private use and
noncharacters. What Unicode has not assigned yet is accepted: it may be a letter or an emoji of the next version.
"""

import re

_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_SEPARATORS = r"\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_FORMAT = (
    r"\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    r"\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0001\U000e0020-\U000e007f"
)
_SURROGATES_AND_PRIVATE_USE = r"\ud800-\uf8ff\U000f0000-\U0010ffff"
_NONCHARACTERS = r"\ufdd0-\ufdef\ufffe\uffff" + "".join(
    rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(1, 15)
)

_NOT_PRINTABLE = re.compile(f"[{_CONTROLS}{_SEPARATORS}{_FORMAT}{_SURROGATES_AND_PRIVATE_USE}{_NONCHARACTERS}]")


def is_printable(text: str) -> bool:
    return not _NOT_PRINTABLE.search(text)

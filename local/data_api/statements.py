"""Named parameters: `:name` in a statement becomes PostgreSQL's `$1`.

Found as AWS finds them, traps included: strings, quoted names and comments are left alone, but the body of a
dollar-quoted string is not, nor is the `:2` of an array slice `a[1:2]` (measured on AWS by others; see
README.md). That a statement is a single one is for PostgreSQL to say.
"""

import re

_TOKEN = re.compile(
    r"""
      \b [eE] ' (?: [^'\\] | \\. | '' )* '   # a string with escapes
    | ' (?: [^'] | '' )* '                   # a string
    | " (?: [^"] | "" )* "                   # a quoted name
    | -- [^\n]*
    | /\* .*? \*/
    | ::                                     # a cast
    | : (?P<name> \w+ )
    """,
    re.VERBOSE | re.DOTALL,
)


def positional(sql: str) -> tuple[str, list[str]]:
    """The statement with `$1`, `$2` … for its parameters, and the names that these stand for, in order."""
    names: list[str] = []

    def replace(token: re.Match[str]) -> str:
        name = token["name"]
        if name is None:
            return token[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _TOKEN.sub(replace, sql), names

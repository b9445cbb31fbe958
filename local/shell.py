"""A shell's environment and the local AWS: what it sets of it, and the lines that lead a shell's programs to it.

Imports nothing but the standard library.
"""

import os
import re
import shlex
from collections.abc import Iterator, Mapping

from local.errors import LocalAwsUsageError

HARMLESS = {"AWS_PAGER", "AWS_DEFAULT_OUTPUT", "AWS_CLI_AUTO_PROMPT", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"}
"""How a person likes answers to be shown and calls to be repeated. They lead nowhere."""


def port(environ: Mapping[str, str] = os.environ) -> int:
    """The port that the local AWS is to listen on: LOCAL_AWS_PORT, or that of LocalStack."""
    given = environ.get("LOCAL_AWS_PORT", "4566")
    if not (given.isascii() and given.isdecimal() and 0 < int(given) < 65536):
        raise LocalAwsUsageError(f"LOCAL_AWS_PORT must be a port number from 1 to 65535, and is {given!r}.")
    return int(given)


def temporary_folder(environ: Mapping[str, str] = os.environ) -> str:
    """Where programs can make Unix sockets: TMPDIR, or /tmp if that is no folder to write into, or its path is long.

    A socket's path has at most 103 bytes (macOS; 107 on Linux), of which Terraform's plugins take 40 (Terraform 1.11).
    """
    given = environ.get("TMPDIR", "")
    usable = given and len(os.fsencode(os.path.abspath(given))) <= 60 and os.access(given, os.W_OK | os.X_OK)
    return os.path.abspath(given) if usable and os.path.isdir(given) else "/tmp"


def past_proxies(host: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables by which programs reach `host` directly, whatever proxy the environment names.

    Both spellings, since some programs read only the one and some only the other.
    """
    names = ("NO_PROXY", "no_proxy")
    given = [each.strip() for name in names for each in environ.get(name, "").split(",")]
    return dict.fromkeys(names, ",".join(dict.fromkeys([*filter(None, given), host])))


def lines(leading: Mapping[str, str], environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """What a POSIX shell evaluates to have the variables `leading`, and of `environ` none that would lead elsewhere.

    Without `unset`, a profile, a session token, or the endpoint of a single service would count for more.
    """
    for name in sorted(environ):
        if re.fullmatch(r"AWS_\w+", name, re.ASCII) and name not in HARMLESS and name not in leading:
            yield f"unset {name}"
    yield from (f"export {name}={shlex.quote(value)}" for name, value in leading.items())

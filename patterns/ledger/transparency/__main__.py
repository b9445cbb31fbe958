"""Verifies a log's proofs, or a full copy of it, with public keys alone.

    proof PROOF ENTRY --key KEY     files with what get_proof has answered, the entry not in base64 any more
    copy FOLDER --key KEY           all files of a log's bucket

Exit status 0: it is true. 1: it is not, for the reason that is told.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .merkle import InvalidProof
from .notes import InvalidKey, InvalidNote
from .tiles import InvalidTile
from .verifier import trusted_key, verify_copy, verify_proof


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="transparency", description="Verify a transparency log with its public keys.")
    what = parser.add_subparsers(dest="what", required=True)
    proof = what.add_parser("proof", help="that an entry is in the log")
    proof.add_argument("proof", type=Path, help="file with the text of a tlog-proof")
    proof.add_argument("entry", type=Path, help="file with the entry, not in base64")
    copy = what.add_parser("copy", help="that a full copy is what its checkpoint says")
    copy.add_argument("folder", type=Path)
    for command in (proof, copy):
        command.add_argument("--key", action="append", required=True, help="a verifier key of the log; may be repeated")
    given = parser.parse_args(arguments)
    try:
        keys = [trusted_key(key) for key in given.key]
        origin = keys[0].name
        if given.what == "proof":
            text, entry = given.proof.read_text(encoding="utf-8"), given.entry.read_bytes()
            index, checkpoint = verify_proof(text, entry, origin, keys)
            print(f"It is entry {index + 1} of {checkpoint.size} in the log {origin}.")
        else:
            checkpoint, entries = verify_copy(lambda path: (given.folder / path).read_bytes(), origin, keys)
            print(f"All {len(entries)} entries are those that the log {origin} has signed.")
    except (InvalidKey, InvalidNote, InvalidProof, InvalidTile, OSError) as error:
        print(f"Not true: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What somebody with a copy of one folder, public keys and `cryptography` can do, and nothing else of this project."""

from __future__ import annotations

import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest

from testkit.aws_calls import Watch
from testkit.clients import client
from tools.discovery import containing

from ..transparency.__main__ import main
from ..transparency.merkle import leaf_hash
from ..transparency.tiles import InvalidTile, Tile, entries_of
from ..transparency.verifier import trusted_key, verify_copy
from . import harness
from .ledgers import Ledger

FOLDER = containing(__file__).folder / "transparency"


@pytest.fixture(scope="module")
def ledger(watch: Watch) -> Ledger:
    """600 events: a tree of two levels of tiles."""
    ledger = Ledger()
    for start in range(0, 600, 40):
        ledger.append(*((f"a{n}", 1) for n in range(start, start + 40)))
    ledger.publish()
    return ledger


@pytest.fixture(scope="module")
def copied(ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files of the bucket."""
    folder, s3, bucket = tmp_path_factory.mktemp("copy"), client("s3"), ledger.environment["TILES_BUCKET"]
    for file in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        path = folder / file["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=bucket, Key=file["Key"])["Body"].read())
    return folder


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a folder with nothing but the module, whose Python knows nothing of this checkout."""
    shutil.copytree(FOLDER, tmp_path / "transparency", ignore=shutil.ignore_patterns("entries.py", "__pycache__"))
    command = [sys.executable, "-m", "transparency", *arguments]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env={"PATH": ""})


def test_a_proof_is_verified(ledger: Ledger, tmp_path: Path) -> None:
    answer = ledger.proof(offset="300")
    (tmp_path / "proof").write_text(answer["proof"], encoding="utf-8")
    (tmp_path / "entry").write_bytes(b64decode(answer["entry"]))

    done = run(tmp_path, "proof", "proof", "entry", "--key", ledger.outputs()["log_keys"][0])

    assert (done.returncode, done.stdout) == (0, f"It is entry 300 of 600 in the log {harness.ORIGIN}.\n"), done.stderr


def test_a_copy_is_verified(ledger: Ledger, copied: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "copy", str(copied), "--key", ledger.outputs()["log_keys"][0])

    said = f"All 600 entries are those that the log {harness.ORIGIN} has signed.\n"
    assert (done.returncode, done.stdout) == (0, said), done.stderr


@pytest.mark.parametrize("path", ["tile/entries/001", "tile/0/000", "tile/0/002.p/88", "tile/1/000.p/2"])
def test_a_copy_with_a_changed_file_is_not_true(ledger: Ledger, copied: Path, path: str) -> None:
    def read(wanted: str) -> bytes:
        content = (copied / wanted).read_bytes()
        return content[:-1] + bytes([content[-1] ^ 1]) if wanted == path else content

    [key] = map(trusted_key, ledger.outputs()["log_keys"])
    with pytest.raises(InvalidTile):
        verify_copy(read, harness.ORIGIN, [key])


def test_what_is_not_true_is_said_and_exits_1(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = Ledger().outputs()["log_keys"][0]

    assert main(["copy", str(copied), "--key", other]) == 1
    assert "not signed by any known key" in capsys.readouterr().err
    assert main(["copy", str(copied), "--key", "nonsense"]) == 1
    assert "is not a verifier key" in capsys.readouterr().err
    assert main(["copy", str(copied / "nowhere"), "--key", other]) == 1


def test_a_copy_that_was_rewritten_with_its_hashes_is_not_true(ledger: Ledger, copied: Path) -> None:
    bundled, hashes = "tile/entries/002.p/88", "tile/0/002.p/88"
    forged = (copied / bundled).read_bytes().replace(b'"aggregateVersion":1', b'"aggregateVersion":2')
    leaves = b"".join(leaf_hash(entry) for entry in entries_of(Tile(None, 2, 88), forged))
    rewritten = {bundled: forged, hashes: leaves}

    [key] = map(trusted_key, ledger.outputs()["log_keys"])
    with pytest.raises(InvalidTile, match="the tiles are not those that were signed"):
        verify_copy(lambda path: rewritten.get(path) or (copied / path).read_bytes(), harness.ORIGIN, [key])

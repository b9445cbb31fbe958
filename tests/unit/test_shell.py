"""A shell's environment: folders for sockets, and the way past proxies."""

from pathlib import Path

import pytest

from local.shell import past_proxies, temporary_folder


def test_a_temporary_folder_that_serves_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(str(tmp_path)) > 60
    short = Path("/tmp", tmp_path.parts[-1][:20] + str(tmp_path.stat().st_ino))
    short.symlink_to(tmp_path)
    try:
        assert temporary_folder({"TMPDIR": str(short)}) == str(short)
        monkeypatch.chdir(short.parent)
        assert temporary_folder({"TMPDIR": short.name}) == str(short)
    finally:
        short.unlink()


def test_one_that_is_missing_no_folder_or_too_long_for_a_sockets_path_is_not(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch()
    for given in ("", "/no/such", str(file), str(tmp_path)):
        assert temporary_folder({"TMPDIR": given}) == "/tmp"
    assert temporary_folder({}) == "/tmp"


@pytest.mark.parametrize(
    ("environ", "listed"),
    [
        ({}, "127.0.0.1"),
        ({"NO_PROXY": "a.example, b.example"}, "a.example,b.example,127.0.0.1"),
        ({"NO_PROXY": "a.example", "no_proxy": "b.example,a.example"}, "a.example,b.example,127.0.0.1"),
        ({"no_proxy": "127.0.0.1"}, "127.0.0.1"),
    ],
)
def test_both_spellings_have_what_either_had_and_the_host(environ: dict[str, str], listed: str) -> None:
    assert past_proxies("127.0.0.1", environ) == {"NO_PROXY": listed, "no_proxy": listed}

from collections.abc import Callable
from pathlib import Path

import pytest

from tools import providers
from tools.console import Failure
from tools.providers import Terraform, find_terraform, provider_directory

TERRAFORM = Terraform("terraform", "registry.terraform.io")
MACHINE = providers._machine()


def add_provider(directory: Path, version: str = "5.100.0", machine: str = MACHINE) -> Path:
    (directory / f"registry.terraform.io/hashicorp/aws/{version}/{machine}").mkdir(parents=True)
    return directory


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory, on a machine with nothing under /opt."""
    monkeypatch.setenv("HOME", str(tmp_path))
    real_glob = Path.glob
    monkeypatch.setattr(Path, "glob", lambda self, it: [] if self == Path("/opt") else real_glob(self, it))
    return tmp_path


def test_a_missing_terraform_is_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"Terraform 1\.9 or newer.*developer\.hashicorp\.com"):
        find_terraform(path=str(tmp_path))


def test_an_old_terraform_is_refused(fake_terraform: Callable[[str], None], tmp_path: Path) -> None:
    fake_terraform("true")
    executable = tmp_path / "bin/terraform"
    executable.write_text(executable.read_text().replace("1.11.4", "1.8.5"))
    with pytest.raises(Failure, match=r"version 1\.8\.5: 1\.9 or newer"):
        find_terraform()


def test_opentofu_is_taken_where_there_is_no_terraform(fake_terraform: Callable[[str], None], tmp_path: Path) -> None:
    fake_terraform("true")
    (tmp_path / "bin/terraform").rename(tmp_path / "bin/tofu")
    assert find_terraform(path=str(tmp_path / "bin")).registry == "registry.opentofu.org"


def test_without_a_provider_directory_the_registry_is_used(home: Path) -> None:
    assert provider_directory(TERRAFORM, {}) is None


def test_an_implied_mirror_directory_is_found(home: Path) -> None:
    mirror = add_provider(home / ".terraform.d/plugins")
    assert provider_directory(TERRAFORM, {}) == mirror


def test_a_packed_provider_counts_too(home: Path) -> None:
    folder = home / ".terraform.d/plugins/registry.terraform.io/hashicorp/aws"
    folder.mkdir(parents=True)
    (folder / f"terraform-provider-aws_5.100.0_{MACHINE}.zip").touch()
    assert provider_directory(TERRAFORM, {}) == home / ".terraform.d/plugins"


@pytest.mark.parametrize(("version", "machine"), [("5.99.1", MACHINE), ("7.0.0", MACHINE), ("5.100.0", "plan9_mips")])
def test_a_provider_that_does_not_fit_is_passed_over(home: Path, version: str, machine: str) -> None:
    add_provider(home / ".terraform.d/plugins", version, machine)
    assert provider_directory(TERRAFORM, {}) is None


def test_a_provider_of_the_next_major_version_is_found(home: Path) -> None:
    mirror = add_provider(home / ".terraform.d/plugins", "6.22.1")
    assert provider_directory(TERRAFORM, {}) == mirror


def test_a_provider_of_the_other_registry_is_passed_over(home: Path) -> None:
    add_provider(home / ".terraform.d/plugins")
    assert provider_directory(Terraform("tofu", "registry.opentofu.org"), {}) is None


def test_a_given_directory_goes_before_all_others(home: Path) -> None:
    add_provider(home / ".terraform.d/plugins")
    given = add_provider(home / "given", "5.101.0")
    assert provider_directory(TERRAFORM, {"TF_PLUGIN_DIR": str(given)}) == given


def test_a_given_directory_without_the_provider_is_a_failure(home: Path) -> None:
    with pytest.raises(Failure, match=r"TF_PLUGIN_DIR is .*: correct it, or unset it"):
        provider_directory(TERRAFORM, {"TF_PLUGIN_DIR": str(home)})

"""Finds Terraform (or OpenTofu), and a directory with the AWS provider where the registry may be out of reach.

A provider directory is the one that TF_PLUGIN_DIR names, or else the first of Terraform's implied mirror directories
and of the directories directly under /opt that holds a fitting provider for this machine; with none, the registry.
"""

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.console import Failure

MIN_VERSION = (1, 9)
FITTING_PROVIDER = re.compile(r"5\.\d{3,}\.\d+|6\.\d+\.\d+")  # >= 5.100, < 7


@dataclass(frozen=True)
class Terraform:
    executable: str
    registry: str


def find_terraform(path: str | None = None) -> Terraform:
    """Terraform if it is on the path, else OpenTofu."""
    for name, registry in (("terraform", "registry.terraform.io"), ("tofu", "registry.opentofu.org")):
        if executable := shutil.which(name, path=path):
            _check_version(executable)
            return Terraform(executable, registry)
    raise Failure(
        "Terraform 1.9 or newer (or OpenTofu) is needed and not on the PATH:"
        " see https://developer.hashicorp.com/terraform/install"
    )


def _check_version(executable: str) -> None:
    told = subprocess.run([executable, "version", "-json"], capture_output=True, text=True, check=False).stdout
    try:
        version = json.loads(told)["terraform_version"]
        number = tuple(int(part) for part in version.split(".")[:2])
    except (ValueError, KeyError) as error:
        raise Failure(f"{executable} does not report its version ({error}): reinstall it.") from None
    if number < MIN_VERSION:
        raise Failure(f"{executable} is version {version}: 1.9 or newer is needed.")


def provider_directory(terraform: Terraform, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The directory to give to `terraform init -plugin-dir`; None for the registry."""
    if given := environ.get("TF_PLUGIN_DIR"):
        if not _holds_provider(Path(given), terraform.registry):
            raise Failure(
                f"TF_PLUGIN_DIR is {given}, where there is no {terraform.registry}/hashicorp/aws from 5.100 to 6"
                f" for {_machine()}: correct it, or unset it to use the registry."
            )
        return Path(given)
    return next((found for found in _mirrors(environ) if _holds_provider(found, terraform.registry)), None)


def _mirrors(environ: Mapping[str, str]) -> Iterator[Path]:
    home = Path(os.path.expanduser("~"))  # a user without a home has none of these, and Path.home() would raise
    yield home / ".terraform.d/plugins"
    if platform.system() == "Darwin":
        yield home / "Library/Application Support/io.terraform/plugins"
        yield Path("/Library/Application Support/io.terraform/plugins")
    else:
        data_home = environ.get("XDG_DATA_HOME") or str(home / ".local/share")
        data_dirs = environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
        yield from (Path(folder) / "terraform/plugins" for folder in [data_home, *data_dirs.split(":")])
    yield from sorted(Path("/opt").glob("*/"))


def _holds_provider(directory: Path, registry: str) -> bool:
    versions = directory / registry / "hashicorp/aws"
    unpacked = [found.parent.name for found in versions.glob(f"*/{_machine()}")]
    packed = [found.name.split("_")[1] for found in versions.glob(f"terraform-provider-aws_*_{_machine()}.zip")]
    return any(FITTING_PROVIDER.fullmatch(version) for version in unpacked + packed)


def _machine() -> str:
    processor = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}_{processor}"

"""Every Terraform module and every example has tests of its own, which run with a mocked provider, and pass."""

from pathlib import Path

import pytest

from tools import package
from tools.discovery import ROOT, patterns

from .conftest import RunMocked

PATTERNS = [it.folder for it in patterns()]
MODULES = [*sorted(path.parent for path in ROOT.glob("terraform/modules/*/main.tf")), *PATTERNS]
EXAMPLES = sorted(
    path.parent for path in [*ROOT.glob("examples/*/main.tf"), *ROOT.glob("examples/*/terraform/main.tf")]
)
PROJECT_VARIABLES = {"name", "package", "function_settings", "deletion_protection", "alarm_actions", "tags"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("module", [*MODULES, *EXAMPLES], ids=relative)
def test_the_modules_own_tests_pass(run_mocked: RunMocked, module: Path) -> None:
    assert list(module.glob("tests/*.tftest.hcl")), f"{relative(module)} has no tests/*.tftest.hcl"
    for pattern in patterns():
        package.build(pattern)
    run_mocked(module, "test", "-no-color")


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_a_module_has_the_standard_files_and_no_provider_block(module: Path) -> None:
    assert {"main.tf", "outputs.tf", "variables.tf", "versions.tf"} <= {path.name for path in module.glob("*.tf")}
    assert not [path for path in module.glob("*.tf") if 'provider "' in path.read_text()]


@pytest.mark.parametrize("module", PATTERNS, ids=relative)
def test_a_pattern_offers_its_store_to_functions_of_others(module: Path) -> None:
    assert 'output "store" {' in module.joinpath("outputs.tf").read_text()


@pytest.mark.parametrize("module", PATTERNS, ids=relative)
def test_a_pattern_has_the_variables_that_every_command_counts_on(module: Path) -> None:
    declared = {
        line.split('"')[1]
        for line in module.joinpath("variables.tf").read_text().splitlines()
        if line.startswith("variable ")
    }
    assert declared >= PROJECT_VARIABLES

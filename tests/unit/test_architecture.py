"""Who may import whom, and how large a pattern may grow."""

import ast
from pathlib import Path

import pytest

from tools.discovery import ROOT, patterns

PATTERNS = [pattern.name for pattern in patterns()]
LAMBDAS = sorted(ROOT.glob("lambdas/**/*.py"))
OF_PATTERNS = [(name, path) for name in PATTERNS for path in sorted((ROOT / "patterns" / name).rglob("*.py"))]
MAKES_AWS_CLIENTS = ROOT / "lambdas/eventstore/aws.py"
STORE_LINES = 200


def imports(path: Path) -> set[str]:
    """Every module that the file imports, in full; `from a import b` counts as a and as a.b."""
    found: set[str] = set()
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_there_are_patterns() -> None:
    assert PATTERNS


@pytest.mark.parametrize("path", LAMBDAS, ids=lambda path: str(path.relative_to(ROOT)))
def test_lambdas_imports_no_pattern_and_nothing_that_is_not_deployed(path: Path) -> None:
    undeployed = ("patterns", "local", "tools", "tests", "testkit", "examples", "compare", "boto3", "pytest")
    assert not [module for module in imports(path) if any(within(module, package) for package in undeployed)]


@pytest.mark.parametrize(("name", "path"), OF_PATTERNS, ids=lambda part: part if isinstance(part, str) else part.name)
def test_a_pattern_imports_no_other_pattern(name: str, path: Path) -> None:
    own = ("patterns", f"patterns.{name}")
    others = [module for module in imports(path) if within(module, "patterns") and not _is(module, own)]
    assert not others


@pytest.mark.parametrize(("name", "path"), OF_PATTERNS, ids=lambda part: part if isinstance(part, str) else part.name)
def test_what_a_pattern_deploys_imports_only_what_is_deployed(name: str, path: Path) -> None:
    if path.parent == ROOT / "patterns" / name:
        undeployed = (
            "local",
            "tools",
            "tests",
            "testkit",
            "examples",
            "compare",
            "boto3",
            "pytest",
            f"patterns.{name}.tests",
        )
        assert not [module for module in imports(path) if any(within(module, package) for package in undeployed)]


@pytest.mark.parametrize(
    "path", [*LAMBDAS, *(path for _, path in OF_PATTERNS)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_clients_are_made_in_one_place_which_tests_can_watch(path: Path) -> None:
    if path != MAKES_AWS_CLIENTS and "tests" not in path.parts:
        makers = ("botocore.session", "botocore.client", "lambdas.eventstore.aws.client")
        assert not [module for module in imports(path) if any(within(module, maker) for maker in makers)]


@pytest.mark.parametrize(
    "module", ["contract", "errors", "events", "ijson", "ksuids", "limits", "memory", "pages", "wire"]
)
def test_the_contract_knows_nothing_of_aws(module: str) -> None:
    assert not [name for name in imports(ROOT / f"lambdas/eventstore/{module}.py") if within(name, "botocore")]


def test_handlers_leave_the_errors_of_aws_to_the_stores() -> None:
    assert not [name for name in imports(ROOT / "lambdas/handlers.py") if within(name, "botocore")]


@pytest.mark.parametrize("name", PATTERNS)
def test_a_store_can_be_read_in_one_sitting(name: str) -> None:
    lines = (ROOT / "patterns" / name / "store.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= STORE_LINES


def _is(module: str, own: tuple[str, str]) -> bool:
    return module == own[0] or within(module, own[1])

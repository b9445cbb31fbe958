"""What a Python program imports, found by reading it: in functions and in branches too, which may run later.

What only type checkers import (`if TYPE_CHECKING:`) is left out, as it is when the program runs.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import resolve_name
from pathlib import Path, PurePosixPath


def closure(entries: Iterable[str], files: Mapping[str, Path]) -> set[str]:
    """The names of `entries`, and of all other modules among `files` that these import, directly or not.

    `files` are modules by their names relative to the import root (`<package>/<module>.py`). What is imported and is
    not among them is another's to provide: the standard library, the runtime, or an optional package.
    """
    reached: set[str] = set()
    found = list(entries)
    while found:
        name = found.pop()
        if name not in reached:
            reached.add(name)
            modules = _imported(name, files[name].read_text(encoding="utf-8"))
            found += [file for module in modules for file in _files(module) if file in files]
    return reached


def _imported(name: str, source: str) -> Iterator[str]:
    """Every module that the file called `name` imports; `from a import b` may mean the module a.b."""
    package = ".".join(PurePosixPath(name).parent.parts)
    yield package  # importing a module runs the packages that hold it
    for node in _at_run_time(ast.parse(source, name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def names_from(module: str, source: str) -> set[str]:
    """What a program imports from `module` by name."""
    return {
        alias.name
        for node in _at_run_time(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module == module
        for alias in node.names
    }


def _at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
        children = node.orelse
    for child in children:
        yield from _at_run_time(child)


def _files(module: str) -> Iterator[str]:
    """Where a module may lie, and the packages that hold it."""
    path = PurePosixPath(*module.split("."))
    yield f"{path}.py"
    yield from (f"{package}/__init__.py" for package in (path, *path.parents))

"""What documents and comments name, held to what there is: files, commands, variables, functions.

Markdown is read whole; of Python files the docstrings, the comments and messages that say which make command to run; of
other files the comments. A name counts as true where the code (not another comment) has it, so renaming something finds
the sentences that still use the old name.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import os
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from botocore.loaders import Loader

_CODE = {".py", ".tf", ".hcl", ".sql", ".json", ".toml", ".sh", ".yml", ".in", ".txt", ".css"}
_HIDDEN = {".ci", ".github"}

_URL = re.compile(r"https?://[^\s)>\]]+|\b(?:[\w-]+\.)+(?:com|org|dev|io|net)/[^\s)>\],]*")
_FENCE = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)(?: {4}[^\n]*\n)+")

_FILE = re.compile(
    r"(?<![\w/.<>*-])"
    r"[\w./*<>-]*[\w*>]"
    r"\.(?:py|tf|tftest\.hcl|toml|md|jsonl?|sql|txt|sh|ya?ml)"
    r"\b(?!\.?\w|\()"  # neither `table.sql.name` nor `page.json()`
)
_FOLDER = re.compile(r"^\.?[\w<>*-]+(?:/[\w.<>*-]+)*/?$")
_MAKE = re.compile(r"(?<![\w-])make ([a-z][a-z-]*)((?: [A-Z_]+=\S*)*)")
_RUN_MAKE = re.compile(r"(?i:\brun) make ([a-z-]+)")
_ASSIGNED = re.compile(r"([A-Z][A-Z_]+)=")
_MODULE = re.compile(r"python -m ([\w.]*\w)")
_IDENTIFIER = re.compile(r"^(?:\w+\.)*(\w+)(?:\(.*\))?$")
_SETTING = re.compile(r"^([a-z]\w*) = \S+$")
_AWS = ("dynamodb", "lambda", "rds-data", "sqs")
_FOREIGN = {
    "ConditionCheckItem",
    "ConditionalCheckFailedRequests",
    "HandlerError",
    "errorType",
    "pg_dump",
    "serial",
    "xid8",
}
"""Names of AWS and PostgreSQL that the documents need, and that neither the code nor botocore's models have."""

_USE = re.compile(r'source\s+= "[^"]*[^:]//([\w/]+)[^"]*"\n(.*?)\n\}', re.DOTALL)
_OUTPUT = re.compile(r"<output (\w+)>")


@dataclass(frozen=True)
class Claims:
    """A text, and the pieces of it that are code."""

    text: str
    code: list[str]

    @classmethod
    def of_markdown(cls, text: str) -> Claims:
        drawn = ("mermaid", "json")
        blocks = [body for language, body in _FENCE.findall(text) if language not in drawn]
        prose = _FENCE.sub("", text)
        blocks += _INDENTED.findall(prose)
        prose = _INDENTED.sub("", prose)
        return cls(_FENCE.sub(lambda block: "" if block[1] in drawn else block[2], text), [*blocks, *_spans(prose)])

    @classmethod
    def of_comments(cls, text: str) -> Claims:
        return cls(text, _spans(text))


def _spans(text: str) -> list[str]:
    return [" ".join(span.split()) for _, span in _SPAN.findall(text)]


class Repository:
    """What there is under `root`. `but` are files whose content does not count, such as a test full of planted lies."""

    def __init__(self, root: Path, but: tuple[Path, ...] = ()) -> None:
        self.root = root
        self._but = but

    @cached_property
    def files(self) -> list[Path]:
        found = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name in _HIDDEN or not name.startswith((".", "__"))]
            found += [Path(folder) / name for name in names]
        return sorted(found)

    @cached_property
    def _code(self) -> list[Path]:
        return [file for file in self.files if file not in self._but]

    def documents(self) -> list[Path]:
        return [file for file in self.files if file.suffix == ".md"]

    def sources(self) -> list[Path]:
        """The files with docstrings and comments."""
        return [file for file in self._code if file.suffix in (".py", ".tf", ".toml", ".sh") or file.name == "Makefile"]

    def read(self, file: Path) -> Claims:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".md":
            return Claims.of_markdown(text)
        if file.suffix == ".py":
            advice = [message for message in _code_strings(file) if _RUN_MAKE.search(message)]
            return Claims.of_comments("\n\n".join([*_comments(text), *advice]))
        return Claims.of_comments("\n".join(re.findall(r"(?:^|\s)#( .*)", text)))

    def lies(self, claims: Claims, of: Path) -> list[str]:
        """The names in a text of the file `of` that nothing here has, each with what it was taken for."""
        text, code = _URL.sub("", claims.text), [_URL.sub("", piece) for piece in claims.code]
        arguments = self._arguments(claims.code)
        return [*dict.fromkeys([*self._files(text), *self._commands(text, code), *self._names(code, of), *arguments])]

    def _files(self, text: str) -> Iterator[str]:
        for name in _FILE.findall(text):
            if not self._there_is(name):
                yield f"file {name}"

    def _commands(self, text: str, code: list[str]) -> Iterator[str]:
        targets = [target for piece in code for target, _ in _MAKE.findall(piece)] + _RUN_MAKE.findall(text)
        yield from (f"make target {target}" for target in targets if target not in self._targets)
        for piece in code:
            for _, variables in _MAKE.findall(piece):
                yield from (f"variable {name}" for name in _ASSIGNED.findall(variables) if name not in self._words)
        for module in _MODULE.findall("\n".join([text, *code])):
            if not self._runs(module):
                yield f"module {module}"

    def _names(self, code: list[str], of: Path) -> Iterator[str]:
        for piece in code:
            if self._is_path(piece) and not self._there_is(piece.rstrip("/")):
                yield f"folder {piece}"
            elif (name := _IDENTIFIER.match(piece)) and name[1] not in self._words | _foreign_names():
                yield f"name {piece}"
            elif (setting := _SETTING.match(piece)) and setting[1] not in self._settings(of):
                yield f"setting {piece}"
            yield from (f"output {name}" for name in _OUTPUT.findall(piece) if name not in self._words)

    def _arguments(self, code: list[str]) -> Iterator[str]:
        """Of Terraform blocks that use a module of this project."""
        for source, arguments in _USE.findall("\n".join(code)):
            known = self._variables(self.root / source)
            names = re.findall(r"^ *(\w+)\s+=", arguments, re.MULTILINE)
            yield from (f"variable {name}" for name in names if name not in known)

    def _there_is(self, name: str) -> bool:
        """A file or folder whose path ends so, or one that the code makes: then a string of it has the name."""
        path = re.sub(r"<\w+>|…", "*", name).removeprefix("./")
        while path.startswith("../"):
            path = path[3:]
        if "*" in path:
            pattern = re.compile("(?:.*/)?" + re.escape(path).replace(r"\*", "[^/]*"))
            return path.split("/")[0] in self._hidden or any(map(pattern.fullmatch, self._paths | self._made))
        first, *_, last = path.split("/") if "/" in path else (path, path)
        return path in self._endings or (last in self._made and (first == last or first in self._hidden))

    def _is_path(self, piece: str) -> bool:
        return bool(_FOLDER.match(piece)) and (piece.endswith("/") or piece.split("/")[0] in self._top) and "/" in piece

    def _runs(self, module: str) -> bool:
        path = self.root / module.replace(".", "/")
        if (top := module.split(".")[0]) in self._top:
            return path.with_suffix(".py").exists() or (path / "__main__.py").exists()
        return importlib.util.find_spec(top) is not None

    def _settings(self, of: Path) -> set[str]:
        """What `name = value` can set: a variable of the module that the file belongs to, or a line of a sheet."""
        folders = [folder for folder in of.parents if (folder / "variables.tf").exists()]
        return self._words if not folders else {*self._variables(folders[0]), *self._sheet_lines}

    @staticmethod
    def _variables(module: Path) -> list[str]:
        file = module / "variables.tf"
        return re.findall(r'^variable "(\w+)"', file.read_text(encoding="utf-8"), re.MULTILINE) if file.exists() else []

    @cached_property
    def _sheet_lines(self) -> set[str]:
        return set(re.findall(r'"(\w+)":', (self.root / "patterns/pattern.schema.json").read_text(encoding="utf-8")))

    @cached_property
    def _top(self) -> set[str]:
        return {path.name for path in self.root.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))}

    @cached_property
    def _paths(self) -> set[str]:
        files = {file.relative_to(self.root) for file in self.files}
        return {path.as_posix() for path in files | {folder for file in files for folder in file.parents}}

    @cached_property
    def _endings(self) -> set[str]:
        return {"/".join(path.split("/")[start:]) for path in self._paths for start in range(path.count("/") + 1)}

    @cached_property
    def _targets(self) -> set[str]:
        return set(re.findall(r"^([a-z-]+):", (self.root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    @cached_property
    def _strings(self) -> list[str]:
        return [text for file in self._code if file.suffix == ".py" for text in _code_strings(file)]

    @cached_property
    def _made(self) -> set[str]:
        return {name for text in self._strings for name in re.findall(r"[\w.-]+", text)}

    @cached_property
    def _hidden(self) -> set[str]:
        """Folders at the top that the code makes, such as `.build`."""
        return {name for name in self._made if name.startswith(".")}

    @cached_property
    def _words(self) -> set[str]:
        words = {word for text in self._strings for word in re.findall(r"\w+", text)}
        for file in self._code:
            if file.suffix == ".py":
                words |= _names_in(file)
            elif file.suffix in _CODE or file.name == "Makefile":
                words |= set(re.findall(r"\w+", file.read_text(encoding="utf-8")))
        return words


@cache
def _foreign_names() -> set[str]:
    loader = Loader()
    names = set(_FOREIGN)
    for service in _AWS:
        model = loader.load_service_model(service, "service-2")
        names |= {*model["operations"], *model["shapes"]}
        names |= {member for shape in model["shapes"].values() for member in shape.get("members", ())}
    return names


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    """Also the strings below constants, which document them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def _comments(source: str) -> Iterator[str]:
    yield from (str(docstring.value) for docstring in _docstrings(ast.parse(source)))
    yield "\n".join(
        token.string.lstrip("#")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    )


def _code_strings(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documenting = set(map(id, _docstrings(tree)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documenting:
            yield node.value


def _names_in(file: Path) -> set[str]:
    tokens = tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME}

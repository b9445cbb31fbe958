"""Documents and comments name only what there is, and a newcomer finds the answers by the README's links."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.claims import Claims, Repository
from tools import providers
from tools.discovery import ROOT

REPOSITORY = Repository(ROOT, but=(Path(__file__), Path(__file__).with_name("claims.py")))
DOCUMENTS = REPOSITORY.documents()
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"
LINK = re.compile(r"\[((?:[^\]\[]|\[[^\]]*\])*)\]\(([^)#\s]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)

ANSWERS = {
    "restored from a backup": "The repair only adds",
    "How large can an event be": "48 * 1024",
    "version conflict": "VersionConflict",
    "each operation promise": "Within an aggregate,\n        offsets rise with versions",
    "inside `store_events`": "This follows one request",
    "settle window": "*now − settle window*",
    "commits late": "holds a transaction open",
    "lose no event": "If step 4 succeeds, the log ended at *c*",
    "situations": "SCHEDULES",
    "count each event once": "items and checkpoint move in one transaction",
    "add a pattern": "A pattern is a folder",
    "rights": "Every function has a role of its own",
    "this way": "decision",
}
"""Of each question in the README's table some words, and words that stand where its link leads."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_a_document_names_only_what_there_is(document: Path) -> None:
    assert not REPOSITORY.lies(REPOSITORY.read(document), document)


def test_comments_name_only_what_there_is() -> None:
    lies = {name_of(file): REPOSITORY.lies(REPOSITORY.read(file), file) for file in REPOSITORY.sources()}
    assert not {name: found for name, found in lies.items() if found}


@pytest.mark.parametrize(
    ("text", "lie"),
    [
        ("See lambdas/eventstore/wires.py.", "file lambdas/eventstore/wires.py"),
        ("Run by `test_gone.py`, among others.", "file test_gone.py"),
        ("All of `migrations/*.toml`.", "file migrations/*.toml"),
        ("Look into `lambdas/store/`.", "folder lambdas/store/"),
        ("`make depoly PATTERN=ksuid`", "make target depoly"),
        ("```console\n$ make deply\n```", "make target deply"),
        ("Out of date: run make tabels.", "make target tabels"),
        ("`make deploy PATERN=ksuid`", "variable PATERN"),
        ("`python -m tools.deplyo`", "module tools.deplyo"),
        ("    python -m compare.nothing", "module compare.nothing"),
        ("set `TF_PLUGIN_DIRECTORY`", "name TF_PLUGIN_DIRECTORY"),
        ("`EventStore.append_event`", "name EventStore.append_event"),
        ("`_not_a_function()` of it", "name _not_a_function()"),
        ("widen it with `settle_seconds = 3`", "setting settle_seconds = 3"),
        ("`--function-name <output migration_function>`", "output migration_function"),
        ('```hcl\nmodule "a" {\n  source = "git::x//patterns/ksuid"\n  shard = 2\n}\n```', "variable shard"),
    ],
)
def test_a_lie_is_found(text: str, lie: str) -> None:
    of = ROOT / "patterns/ksuid/README.md"
    assert lie in REPOSITORY.lies(Claims.of_markdown(f"A page.\n\n{text}\n"), of)


@pytest.mark.parametrize(
    "text",
    [
        "`make deploy PATTERN=ksuid LOCAL_AWS_PORT=4567`, or make sure of it",
        "`.build/ksuid.zip`, `.build/compare/report.html`, `.state/<target>/<pattern>/` and `results.json`",
        "`patterns/<name>/tests/harness.py`, `wire.py`, `patterns/*/tests/`",
        "`shards = 4`, `late_events = true` and `settle_ms`",
        "`python -m pytest`, `python -m tools.tables --check`, `python -m local up`",
        "`BatchWriteItem`, `DatabaseResumingException` and `ExecuteStatement`",
        "See https://example.com/no/such/page.md and docs.aws.amazon.com/lambda/latest/nothing.json",
    ],
)
def test_the_truth_is_no_lie(text: str) -> None:
    assert not REPOSITORY.lies(Claims.of_markdown(text), ROOT / "patterns/ksuid/README.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    assert not [link for _, link, _ in local_links(document.read_text()) if not (document.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_to_a_heading_leads_to_one(document: Path) -> None:
    for _, link, anchor in local_links(document.read_text(encoding="utf-8")):
        if anchor:
            target = document.parent / link if link else document
            assert section(target, anchor), f"{link}#{anchor}"


def test_the_readme_begins_with_deploying_and_ends_with_testing() -> None:
    shown = re.findall(r"^\$ make (\w+)", section(README, "start"), re.MULTILINE)
    assert shown == ["deploy", "demo", "compare", "test"]


@pytest.mark.parametrize(("question", "words"), ANSWERS.items())
def test_the_readme_leads_to_the_answer(question: str, words: str) -> None:
    [row] = [row for row in questions() if question in row]
    pages = [(ROOT / link if link else README, anchor) for _, link, anchor in local_links(row)]
    assert any(words in (section(page, anchor) if anchor else page.read_text("utf-8")) for page, anchor in pages)


def test_every_question_of_the_readme_is_followed_here() -> None:
    assert len(questions()) == len(ANSWERS)


def test_the_walk_names_functions_of_the_file_that_each_step_is_about() -> None:
    steps = re.split(r"^\d+\. ", section(CONTRIBUTING, "one-store_events-step-by-step"), flags=re.MULTILINE)[1:]
    walked = []
    for step in steps:
        (_, file, _), *_ = local_links(step)
        code = (ROOT / file).read_text(encoding="utf-8")
        names = [name for name in re.findall(r"`(\w+)`", step.split("\n\n")[0]) if "_" in name or name[0].isupper()]
        assert names
        assert not [name for name in names if not re.search(rf"\b{name}\b", code)], file
        walked.append(file)
    assert len(set(walked)) == len(walked), "a walk visits each file once"


def test_the_layout_has_every_package() -> None:
    shown = re.findall(r"^\| `(\w+)/", section(README, "repository-layout"), re.MULTILINE)
    assert {package.parent.name for package in ROOT.glob("*/__init__.py")} <= set(shown)


def test_every_decision_is_in_the_index() -> None:
    notes = {path.name for path in ROOT.glob("docs/adr/[0-9]*.md")}
    index = ROOT / "docs/adr/README.md"
    titles = dict(re.findall(r"\]\((\S+)\) \| (.*) \|$", index.read_text(encoding="utf-8"), re.MULTILINE))
    assert titles.keys() == notes
    for name, title in titles.items():
        text = (ROOT / "docs/adr" / name).read_text(encoding="utf-8")
        assert text.startswith(f"# {int(name[:4])}. {title}\n")


@pytest.mark.parametrize("requirements", ["lambda", "local", "deploy", "dev", "release", "scan"])
def test_every_dependency_has_its_reason(requirements: str) -> None:
    """Nothing is listed that is not installed, and nothing is asked for without a reason."""
    page = (ROOT / "docs/adr/0003-dependencies.md").read_text(encoding="utf-8")
    [table] = re.findall(rf"`requirements/{requirements}\.in`.*?\n\n((?:\|.*\n)+)", page)
    listed = {name.strip().lower() for row in table.splitlines()[2:] for name in row.split("|")[1].split(",")}
    asked = packages(f"requirements/{requirements}.in")
    assert asked <= listed
    assert listed <= packages(f"requirements/{requirements}.txt")


def test_each_hook_before_a_commit_passes_on_what_is_committed() -> None:
    config = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"^ +entry: (.*)$", config, re.MULTILINE)
    assert len(entries) == len(re.findall(r"^ +- id: ", config, re.MULTILINE)) >= 4
    for entry in entries:
        program, *arguments = shlex.split(entry)
        program = {".venv/bin/python": sys.executable, "terraform": providers.find_terraform().executable}[program]
        done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{entry}\n{done.stdout}{done.stderr}"


def local_links(text: str) -> Iterator[tuple[str, str, str]]:
    """What each link that is no address of the web shows, its file and its anchor; either may be empty."""
    for shown, link, anchor in LINK.findall(text):
        if not link.startswith(("https:", "http:", "mailto:")):
            yield shown, link, anchor


def questions() -> list[str]:
    return [row for row in section(README, "where-is-").splitlines() if row.startswith("| ")][1:]


def section(document: Path, anchor: str) -> str:
    """The text below the heading of that anchor, up to the next one."""
    text = document.read_text(encoding="utf-8")
    [(start, level)] = [(it.end(), it[1]) for it in HEADING.finditer(text) if anchor_of(it[2]) == anchor]
    return re.split(rf"^{level} ", text[start:], maxsplit=1, flags=re.MULTILINE)[0]


def anchor_of(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def packages(requirements: str) -> set[str]:
    lines = (ROOT / requirements).read_text(encoding="utf-8").splitlines()
    names = [re.match(r"[A-Za-z][\w.-]*", line) for line in lines]
    return {name[0].lower() for name in names if name}

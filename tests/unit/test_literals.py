"""No folder of a pattern has a pattern's name written out, so that a copy of it is a pattern of its own."""

import pytest

from tools import literals
from tools.console import Failure
from tools.discovery import Pattern, patterns


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.name)
def test_no_pattern_names_itself_or_another(pattern: Pattern) -> None:
    assert not list(literals.found(pattern))


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("main.tf", 'pattern = "sample"'),
        ("main.tf", 'pattern   = "gone"'),
        ("main.tf", 'package = coalesce(var.package, "${path.module}/../../.build/other.zip")'),
        ("main.tf", 'handler = "patterns.other.relay.handler"'),
        ("main.tf", 'source = "../../patterns/other"'),
        ("main.tf", 'name = "eventstore-other"'),
        ("variables.tf", 'default = "sample"'),
        ("store.py", "from patterns.other import queue"),
        ("tests/test_it.py", "    import patterns.sample.store"),
    ],
)
def test_a_name_that_is_written_out_is_found_and_such_a_folder_is_not_deployed(
    sample: Pattern, file: str, line: str
) -> None:
    (sample.folder / "tests").mkdir()
    (sample.folder / file).write_text(f"\n{line}\n")

    with pytest.raises(Failure, match=rf"patterns/sample/{file}, line 2 \(.*\) names a pattern.*module.identity"):
        literals.refuse(sample)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("main.tf", '# as sample and patterns.sample do it, in eventstore-sample with "sample.zip"'),
        ("main.tf", 'handler = "patterns.${module.identity.pattern}.relay.handler"'),
        ("main.tf", 'engine = "sample-postgresql"'),
        ("main.tf", 'pattern = jsonencode({ eventName = ["INSERT"] })'),
        ("store.py", "from ..sample import queue"),
    ],
)
def test_nothing_else_is_taken_for_one(sample: Pattern, file: str, line: str) -> None:
    (sample.folder / file).write_text(f"{line}\n")

    literals.refuse(sample)

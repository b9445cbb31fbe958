"""Which rooms of the comparison may know which."""

import pytest

from tests.unit.test_architecture import imports, within
from tools.discovery import ROOT

FORBIDDEN = {
    "history": ("compare.measure", "compare.model", "compare.report", "testkit"),
    "measure": ("compare.report",),
    "model": ("compare.report",),
    "report": (),
    "": (),
}


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_of_the_comparison_knows_no_tests_and_not_what_is_made_of_it(room: str) -> None:
    modules = list((ROOT / "compare" / room).glob("*.py"))
    assert modules
    forbidden = (*FORBIDDEN[room], "tests", "pytest")
    imported = {module for path in modules for module in imports(path)}
    assert not [module for module in imported if any(within(module, package) for package in forbidden)]

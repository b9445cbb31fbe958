"""Which characters an identifier may have, whatever Python runs."""

import unicodedata

from lambdas.eventstore.printable import is_printable

EVERY_CHARACTER = [chr(point) for point in range(0x110000)]


def test_it_is_what_python_calls_printable_as_far_as_its_unicode_tables_go() -> None:
    assigned = [character for character in EVERY_CHARACTER if unicodedata.category(character) != "Cn"]
    assert [character for character in assigned if is_printable(character) != character.isprintable()] == []


def test_it_refuses_the_same_number_of_characters_on_every_python() -> None:
    assert sum(not is_printable(character) for character in EVERY_CHARACTER) == 139_835


def test_what_unicode_has_not_assigned_is_accepted_and_noncharacters_are_refused() -> None:
    assert is_printable("\U0003aaaa")
    assert not any(is_printable(character) for character in ("\ufdd0", "\uffff", "\U0001fffe", "\U0010ffff"))


def test_one_character_that_is_not_printable_is_enough() -> None:
    assert is_printable("Josh \U0001f600 日")
    assert not is_printable("Josh\n")

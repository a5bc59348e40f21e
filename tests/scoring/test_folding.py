"""What counts as the same typed answer."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.folding import fold_text, parse_number


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("3,5", "3.5"),
        ("3.5", "3.5"),
        (" 3,50 ", "3.50"),
        ("+7", "7"),
        ("-4", "-4"),
        ("−4", "-4"),
        ("–4", "-4"),
        ("1 200", "1200"),
        ("1\u00a0200", "1200"),
        ("1\u202f200,5", "1200.5"),
        (",5", ".5"),
        ("5,", "5"),
        ("3000", "3000"),
        ("３０", "30"),
        ("007", "7"),
    ],
)
def test_numbers_as_children_type_them(typed: str, number: str) -> None:
    """Comma and point, spaces of every kind, each minus sign of a phone's keyboard."""
    assert parse_number(typed) == Decimal(number)


@pytest.mark.parametrize(
    "typed", ["", " ", "-", ",", "1,2,3", "1.234,5", "3 m", "12 теңге", "1e5", "0x10", "∞", "½", "9" * 41]
)
def test_what_is_no_number(typed: str) -> None:
    """Guessing which separator groups would be scoring; a word beside the number is not a number."""
    assert parse_number(typed) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_comma_and_point_are_one(number: Decimal) -> None:
    """Whatever the number: «3,5» is «3.5»."""
    written = format(number, "f")
    assert parse_number(written) == parse_number(written.replace(".", ",")) == number


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("  Мектеп ", "мектеп"),
        ("МЕКТЕП.", "мектеп"),
        ("«мектеп»", "мектеп"),
        ("мектеп\u00a0 алдына", "мектеп алдына"),
        ("ещё", "еще"),
        ("из–за рогов", "из-за рогов"),
        ("Қорада!", "қорада"),
        ("  ", ""),
        ("...", ""),
    ],
)
def test_texts_as_children_type_them(typed: str, folded: str) -> None:
    """Case, quotes, closing signs and kinds of space don't make another answer."""
    assert fold_text(typed) == folded


def test_kazakh_letters_stay_themselves() -> None:
    """қ is not к: a key that takes both says so."""
    assert fold_text("қора") != fold_text("кора")


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing_and_composition_plays_no_part(typed: str) -> None:
    """й in one sign or two is one letter."""
    assert fold_text(fold_text(typed)) == fold_text(typed)
    assert fold_text(unicodedata.normalize("NFD", typed)) == fold_text(unicodedata.normalize("NFC", typed))

"""The columns of an import, known by their names in three languages and by their codes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from portal.core.i18n import LANGUAGES, N_
from portal.core.i18n.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence


class Column(msgspec.Struct, frozen=True):
    """A column: its code, its title, whether it must be there, and a value as an example."""

    code: str
    title: str
    required: bool
    example: str


COLUMNS: tuple[Column, ...] = (
    Column("school_code", N_("School code"), True, "S0001"),
    Column("last_name", N_("Last name"), True, "Серікова"),
    Column("first_name", N_("First name"), True, "Айгүл"),
    Column("middle_name", N_("Middle name"), False, "Маратқызы"),
    Column("birth_date", N_("Birth date"), True, "14.03.2015"),
    Column("gender", N_("Gender"), False, "қ"),
    Column("grade", N_("Grade"), True, "5"),
    Column("class_letter", N_("Class letter"), False, "А"),
    Column("room", N_("Room"), False, "3-кабинет"),
    Column("language", N_("Language of the test"), True, "қаз"),
    Column("extra_minutes", N_("Extra minutes"), False, "0"),
    Column("external_id", N_("External id"), True, "MB26-000001"),
)
BY_CODE = {column.code: column for column in COLUMNS}


def places(head: Sequence[str]) -> dict[str, int]:
    """Column code → its place in the file; unknown columns are left aside."""
    known = {_plain(column.code): column.code for column in COLUMNS}
    for language in LANGUAGES:
        for column in COLUMNS:
            known[_plain(catalogue(language).get(column.title, column.title))] = column.code
            known[_plain(column.title)] = column.code
    found: dict[str, int] = {}
    for place, name in enumerate(head):
        code = known.get(_plain(name))
        if code is not None:
            found.setdefault(code, place)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.lower()).strip()

"""The columns of a list that comes as a file, known by their names in three languages and by their codes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from portal.core.i18n import LANGUAGES
from portal.core.i18n.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence


class Column(msgspec.Struct, frozen=True):
    """A column: its code, its title, whether it must be there, an example, and names beyond the catalogue's."""

    code: str
    title: str
    required: bool
    example: str
    names: tuple[str, ...] = ()


def places(head: Sequence[str], columns: Sequence[Column]) -> dict[str, int]:
    """Column code → its place in the file; unknown columns are left aside."""
    known: dict[str, str] = {}
    for column in columns:
        titles = (catalogue(language).get(column.title, column.title) for language in LANGUAGES)
        for name in (column.code, column.title, *titles, *column.names):
            known.setdefault(_plain(name), column.code)
    found: dict[str, int] = {}
    for place, name in enumerate(head):
        code = known.get(_plain(name))
        if code is not None:
            found.setdefault(code, place)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.lower()).strip()

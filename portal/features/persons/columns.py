"""The columns of the list, and those of an import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core.files.columns import Column
from portal.core.i18n import N_, of, t
from portal.features.persons.structs import LANGUAGE_NAMES, PROJECTS, SEXES, STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from portal.core.files.tables import Cell
    from portal.features.persons.structs import Field, PersonRow

# Code → title and cell, in the order of the page. The name always stands first and is not chosen.
SHOWN: dict[str, tuple[str, Callable[[PersonRow], Cell]]] = {
    "born": (N_("Birth date"), lambda row: row.birth_date),
    "sex": (N_("Sex"), lambda row: t(SEXES[row.sex]) if row.sex else None),
    "class": (N_("Class"), lambda row: row.class_name or None),
    "school": (N_("School"), lambda row: of(row.school) or None),
    "district": (N_("District"), lambda row: of(row.district) or None),
    "region": (N_("Region"), lambda row: of(row.region)),
    "language": (N_("Language"), lambda row: t(LANGUAGE_NAMES[row.language])),
    "projects": (N_("Projects"), lambda row: ", ".join(t(PROJECTS[code]) for code in row.projects) or None),
    "phone": (N_("Telephone"), lambda row: row.phone or None),
    "email": (N_("E-mail"), lambda row: row.email or None),
    "external": (N_("External id"), lambda row: row.external_id),
    "status": (N_("State"), lambda row: t(STATUSES[row.status])),
    "changed": (N_("Changed"), lambda row: row.changed_at),
}
AT_FIRST = ("born", "class", "school", "projects")

COLUMNS: tuple[Column, ...] = (
    Column("last_name", N_("Last name"), True, "Серікова"),
    Column("first_name", N_("First name"), True, "Айгүл"),
    Column("middle_name", N_("Middle name"), False, "Маратқызы"),
    Column("birth_date", N_("Birth date"), True, "14.03.2015"),
    Column("sex", N_("Sex"), False, "қ"),
    Column("iin", N_("IIN"), False, ""),
    Column("language", N_("Language"), True, "қаз"),
    Column("school_code", N_("School code"), False, "S0001"),
    Column("region_code", N_("Region code"), False, "KZ-61"),
    Column("grade", N_("Grade"), False, "5"),
    Column("class_letter", N_("Class letter"), False, "А"),
    Column("phone", N_("Telephone"), False, "+7 700 000 00 00"),
    Column("email", N_("E-mail"), False, ""),
    Column("external_id", N_("External id"), False, "P-000001"),
)


def with_fields(fields: Sequence[Field]) -> tuple[Column, ...]:
    """The columns of an import into a project: the common ones, then its own by title or code."""
    own = tuple(
        Column(f"a.{field.code}", field.title["kk"], field.required, "", (field.code, *field.title.values()))
        for field in fields
        if field.retired_at is None
    )
    return (*COLUMNS, *own)

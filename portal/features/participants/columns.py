"""The columns of an import of pupils."""

from __future__ import annotations

from portal.core.files.columns import Column
from portal.core.i18n import N_

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

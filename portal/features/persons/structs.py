"""Rows, filters and pages of the registry."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from portal.core.cards import Card
from portal.core.i18n import N_
from portal.core.persons import LANGUAGE_NAMES, PROJECTS, ROLE_NAMES, ROLES, SEXES

STATUSES: dict[str, str] = {
    "active": N_("active"),
    "archived": N_("in the archive"),
    "merged": N_("merged"),
    "erased": N_("erased"),
}
# Columns as a history names them.
TITLES: dict[str, str] = {
    "last_name": N_("Last name"),
    "first_name": N_("First name"),
    "middle_name": N_("Middle name"),
    "birth_date": N_("Birth date"),
    "sex": N_("Sex"),
    "language": N_("Language"),
    "phone": N_("Telephone"),
    "email": N_("E-mail"),
    "external_id": N_("External id"),
    "region_code": N_("Region"),
    "district_id": N_("District"),
    "school_id": N_("School"),
    "grade": N_("Grade"),
    "class_letter": N_("Class letter"),
    "role": N_("Role"),
}
KINDS: dict[str, str] = {
    "text": N_("text"),
    "number": N_("number"),
    "date": N_("date"),
    "choice": N_("choice from a list"),
    "flag": N_("yes or no"),
}


__all__ = ["LANGUAGE_NAMES", "PROJECTS", "ROLES", "ROLE_NAMES", "SEXES"]


class Filter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a list is narrowed to; empty values ask for nothing."""

    words: str = ""
    project: str = ""
    region: str = ""
    district: int | None = None
    school: int | None = None
    grade: int | None = None
    letter: str = ""
    language: str = ""
    sex: str = ""
    status: str = "active"


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list."""

    id: int
    external_id: str | None
    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    sex: str | None
    language: str
    phone: str
    email: str
    status: str
    region: dict[str, str]
    district: dict[str, str] | None
    school: dict[str, str] | None
    school_id: int | None
    grade: int | None
    class_letter: str
    projects: list[str]
    changed_at: datetime

    @property
    def name(self) -> str:
        """As on a class list."""
        return " ".join(part for part in (self.last_name, self.first_name, self.middle_name) if part)

    @property
    def class_name(self) -> str:
        """«5Ә»; empty if there is none."""
        return f"{'' if self.grade is None else self.grade}{self.class_letter}"


class Person(PersonRow, frozen=True, kw_only=True):
    """A person whole. `sealed` and `blind` are his IIN's."""

    region_code: str
    district_id: int | None
    merged_into: int | None
    made_at: datetime
    sealed: bytes | None
    blind: bytes | None
    twins: int
    photo_key: str | None

    @property
    def card(self) -> Card:
        """As every tab of his card knows him."""
        return msgspec.convert(
            {name: getattr(self, name) for name in Card.__struct_fields__ if name != "own"} | {"own": False}, Card
        )


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """What a form or a row of an import says of a person."""

    external_id: str | None
    last_name: str
    first_name: str
    middle_name: str
    birth_date: date
    sex: str | None
    language: str
    phone: str
    email: str
    region_code: str
    district_id: int | None
    school_id: int | None
    grade: int | None
    class_letter: str


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A person in a project."""

    project: str
    role: str
    school_id: int | None
    school: dict[str, str] | None
    grade: int | None
    class_letter: str
    attributes: dict[str, Any]
    joined_at: datetime


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """What a project knows of a person beyond the common columns."""

    id: int
    project: str
    code: str
    title: dict[str, str]
    kind: str
    choices: list[dict[str, str]]
    required: bool
    place: int
    retired_at: datetime | None


class Place(msgspec.Struct, frozen=True):
    """A district or a school to choose from."""

    id: int
    name: dict[str, str]
    above: str


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """An act on a person, of the audit trail."""

    at: datetime
    name: str | None
    act: str
    before: Any
    after: Any
    reason: str


class SavedView(msgspec.Struct, frozen=True):
    """A list as a person likes to see it."""

    id: int
    name: str
    query: str


class Twin(msgspec.Struct, frozen=True, kw_only=True):
    """Two rows that may be one person."""

    first_id: int
    second_id: int
    first_name: str
    second_name: str
    first_birth: date
    second_birth: date
    first_place: dict[str, str]
    second_place: dict[str, str]
    same_name: bool
    same_iin: bool
    state: str
    found_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """A merge, perhaps undone."""

    id: int
    kept_id: int
    gone_id: int
    moved: dict[str, Any]
    reason: str
    made_at: datetime
    made_by: str
    undone_at: datetime | None
